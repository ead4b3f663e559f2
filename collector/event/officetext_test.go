package event

import (
	"strings"
	"testing"
)

// What people write into recommendations and remarks: numbers of persons are refused, the office's own numbers are not.
func TestTextsOfTheOffice(t *testing.T) {
	for _, s := range []string{
		"", "Tambah satu petugas pada sif malam.",
		"Anggaran Rp 1.250.000.000 untuk ruang baru", "Rp1.250.000.000,00", "Rp. 812.345.678.900", "Rp 81234567890",
		"IDR 812,345,678", "sebesar 8.123.456.789", "1.250.000.000", "81.234.567.890 rupiah", "Rp 85,5 miliar", "812.345.678 rupiah",
		"surat nomor 800/123/438.5/2026", "Nomor: 821/0812/3456/438.6/2026", "440/1234/438.5.2/2026 dan 005/12/2026",
		"Perbup Sidoarjo Nomor 12 Tahun 2021, UU 25/2009 dan 14/2008", "SK 188/123/438.1.1.3/2025",
		"4.295 panggilan, 32.543 dari 40.318 terjawab (80,7 %)", "sejak 28 November 2023 pukul 08.00-16.00 WIB",
		"2026-10-31 s.d. 2026-11-30", "31/10/2026", "panggil 112, 119, 110 atau 14045", "hubungi 112", "telepon 112 tidak terangkat",
		"WA gateway Rp 12.000.000 per tahun", "5.1.02.01.01.0024 belanja jasa", "tahun 2023 2024 2025 2026",
		"rasio 0,85 naik menjadi 0,912", "tiket SDA-2026-00123", "koordinat -7,4478 112,7183", "kode 35.15.08",
		"=cmd|' /C calc'!A0", "<script>alert(1)</script>", "R. 1 2 3 4 5", "sif 1, 2, 3, 4, 5, 6, 7, 8 dan 9", "2021 2022 2023 2024", "jan 4295 3801 4012 3990 4100 4200",
		"dari 12.345 menjadi 123.456 lalu 1.234.567", "094/1234567/438.1.1.2/2026", "031/2345/438.5/2026",
		"hubungi sesuai surat 094/1234567/438.1.1.2/2026", "0812/3456/438.6/2026", "Rp 0,5 miliar", "812.345.678rupiah", "Rp 0",
		"Rp 6.281.234.567.890", "800/123/438.5/2026 senilai Rp 1.250.000.000,00", "B/0012/III/KES.3/2026",
	} {
		if reason, detail := personalNumber(cleanText(s)); reason != "" {
			t.Errorf("%q is refused: %s, %s", s, reason, detail)
		}
	}
	for s, want := range map[string]Reason{
		"hubungi 0812-3456-7890":                       PhoneLike,
		"081234567890":                                 PhoneLike,
		"Pak Budi +62 812 3456 7890":                   PhoneLike,
		"6281234567890":                                PhoneLike,
		"wa 81234567890":                               PhoneLike,
		"(0812) 3456 7890":                             PhoneLike,
		"0812.3456.7890":                               PhoneLike,
		"0 8 1 2 3 4 5 6 7 8 9 0":                      PhoneLike,
		"0-8-1-2-3-4-5-6-7-8-9-0":                      PhoneLike,
		"０８１２３４５６７８９０":                                 PhoneLike,
		"٠٨١٢٣٤٥٦٧٨٩٠":                                 PhoneLike,
		"0812\u200b3456\u200b7890":                     PhoneLike,
		"0812\u00a03456\u00a07890":                     PhoneLike,
		"telepon (031) 8921234":                        PhoneLike,
		"031-8921234":                                  PhoneLike,
		"0343 421234":                                  PhoneLike,
		"telp. 8921234":                                PhoneLike,
		"Telp: 892-1234":                               PhoneLike,
		"HP:0812 34567890":                             PhoneLike,
		"WA 0878-1234-567":                             PhoneLike,
		"Rp 5.000.000 ke 081234567890":                 PhoneLike,
		"nomor 800/123/438.5/2026, hp 085712345678":    PhoneLike,
		"NIK 3515081203900001":                         IdentityLike,
		"3515 0812 0390 0001":                          IdentityLike,
		"35.15.08.120390.0001":                         IdentityLike,
		"351508-520390-0001":                           IdentityLike,
		"pelapor (3515085203900001)":                   IdentityLike,
		"NIP 198503122010011004":                       IdentityLike,
		"19850312 201001 1 004":                        IdentityLike,
		"３５１５０８１２０３９００００１":                             IdentityLike,
		"ktp:3578012345670001 alamat Jl. Mawar":        IdentityLike,
		"KK no. 3515081203900001, Rp 1.250.000.000,00": IdentityLike,
		"081234567890/Budi/2026":                       PhoneLike,
		"Budi/081234567890/RT03/2026":                  PhoneLike,
		"0812/3456/7890/2026":                          PhoneLike,
		"08123456/7890/2026":                           PhoneLike,
		"+62812/3456/7890/2026":                        PhoneLike,
		"0812-3456-7890/Budi/2026":                     PhoneLike,
		"telp 8921234/Budi/2026":                       PhoneLike,
		"800/123/438.5/2026 081234567890/Budi/2026":    PhoneLike,
		"Rp 081234567890":                              PhoneLike,
		"Rp. 0812-3456-7890":                           PhoneLike,
		"Rp 1,081234567890":                            PhoneLike,
		"1.081234567890 rupiah":                        PhoneLike,
		"3515010101800001/RT03/2026":                   IdentityLike,
		"351501/010180/0001/2026":                      IdentityLike,
		"RT03/3515010101800001/2026":                   IdentityLike,
		"Rp 3515010101800001":                          IdentityLike,
	} {
		if reason, _ := personalNumber(cleanText(s)); reason != want {
			t.Errorf("%q: %q, want %q", s, reason, want)
		}
	}
	if got := cleanText(" a\r\nb\u202e\u200fc\x00\td\u00a0e "); got != "a\nbc d e" {
		t.Errorf("%q", got)
	}
	if _, reason, _ := fitFreeText(strings.Repeat("ä", 2000)); reason != "" {
		t.Error(reason)
	}
	if _, reason, _ := fitFreeText(strings.Repeat("ä", 2001)); reason != TooLong {
		t.Error(reason)
	}
}

func TestOwners(t *testing.T) {
	for s, ok := range map[string]bool{
		"damkar": true, "diskominfo": true, "Kepala Bidang TIK": true, "Supervisor 112": true, "Sekda": true, "Dinas Kesehatan": true,
		"Koordinator call center": true, "Asisten I": true, "Budi Santoso": false, "Bu Ani": false, "Kabid 081234567890": false,
		"@": false, "3515081203900001": false, strings.Repeat("kepala ", 30): false,
	} {
		if _, reason, _ := fitOwner(s); (reason == "") != ok {
			t.Errorf("%q: %q", s, reason)
		}
	}
}
