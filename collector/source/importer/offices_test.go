package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/tabular"
	"github.com/monev112/monev112/deploy"
)

// offices are exports in the shapes of real systems, made up, each with what an import of it by its own proposal must
// come to: events by type, shortened to their last word, and rows that are refused.
var offices = map[string]struct{ file, want string }{
	"the platform of another 112": {
		"UID,WAKTU LAPOR,TIPE LAPORAN,KATEGORI,KECAMATAN,DURASI PENGERJAAN\n" +
			"112-250101-0001,2025-01-01 07:30:00,emergency,Kebakaran,Waru,0 Hari : 0 Jam : 41 Menit : 56 Detik\n" +
			"112-250101-0002,2025-01-01 08:10:11,ghost,-,-,0 Hari : 0 Jam : 0 Menit : 4 Detik\n" +
			"112-250101-0003,2025-01-01 08:15:00,silent call,-,-,0 Hari : 0 Jam : 0 Menit : 3 Detik\n",
		"classified 3, ended 3, received 3",
	},
	"tickets with every stamp": {
		"No Tiket,Waktu Lapor,Kategori,OPD,Waktu Disposisi,Waktu Diterima OPD,Waktu Tiba,Waktu Selesai,Status\n" +
			"T-1,05/10/2026 08:00,PJU,Dishub,05/10/2026 08:04,05/10/2026 08:20,05/10/2026 10:00,05/10/2026 11:30,Selesai\n" +
			"T-2,05/10/2026 09:00,Kebakaran,Damkar,05/10/2026 09:01,05/10/2026 09:02,05/10/2026 09:13,,Proses\n",
		"acknowledged 2, arrived 2, assigned 2, opened 2, resolved 1",
	},
	"calls with their tickets, the end long after the talk": {
		"Ticket ID;Created At;Jenis Panggilan;OPD;Jam Jawab;Waktu Diterima OPD;Waktu Selesai\n" +
			"a1;2026-01-05 08:00;Normal;Dishub;2026-01-05 08:00:10;2026-01-05 08:20;2026-01-05 12:00\n" +
			"a2;2026-01-05 09:00;Prank;;2026-01-05 09:00:10;;\n",
		"acknowledged 1, answered 2, assigned 1, classified 2, opened 1, received 2, resolved 1",
	},
	"day fractions with a comma": {
		"No Tiket;Tanggal;Jam Masuk;Jam Jawab\nA-1;28/02/2023;0,5;0,5007\nA-2;28/02/2023;0,25;0,2507\n",
		"answered 2, received 2",
	},
	"epoch seconds": {
		"Call ID|Timestamp|Call Type\nc1|1767225600|normal\nc2|1767229200|prank\n", "classified 2, received 2",
	},
	"epoch milliseconds": {
		"Call ID,Timestamp,Call Type\nc1,1767225600000,normal\nc2,1767229200123,prank\n", "classified 2, received 2",
	},
	"what PostgreSQL prints": {
		"id,created_at,tipe\n71a,2026-01-02 03:04:05.1234567+07,iseng\n71b,2026-01-02 03:04:05+0700,normal\n",
		"classified 2, received 2",
	},
	"ISO with small letters": {
		"Case ID,Received At\nx-1,2026-01-02t03:04:05z\nx-2,2026-01-02T03:04:05.5Z\n", "received 2",
	},
	"a CAD system, month first": {
		"Call Number,Received DtTm,Dispatch DtTm,On Scene DtTm\n1601,01/13/2016 08:01:02 AM,01/13/2016 08:02:00 AM," +
			"01/13/2016 08:09:00 AM\n1602,01/14/2016 11:01:02 PM,01/14/2016 11:02:00 PM,\n",
		"arrived 1, opened 2",
	},
	"311, closed tickets": {
		"case_id,open_dt,Created At,Closed At,Department\n101000,x,2015-01-05 08:00:00,2015-01-06 09:00:00,PWD\n" +
			"101001,x,2015-01-05 09:00:00,,PWD\n", "assigned 2, closed 1, opened 2",
	},
	"FreePBX call detail records": {
		"calldate,clid,duration,uniqueid,Call ID\n2026-01-05 08:00:00,x,00:45,1767.1,u1\n" +
			"2026-01-05 08:10:00,x,01:05:00,1767.2,u2\n",
		"ended 2, received 2",
	},
	"durations in words": {
		"Nomor Laporan,Waktu Masuk,Lama Bicara\nL/1/26,05-01-2026 08.00,2 menit 5 detik\n" +
			"L/2/26,05-01-2026 08.10,1 jam 3 mnt\n",
		"ended 2, received 2",
	},
	"title rows, night shift, points for colons": {
		"REKAP PANGGILAN DARURAT 112\nJanuari 2026\n\nNo Tiket;Tanggal;Jam Masuk;Jam Jawab;Shift;Jenis Panggilan\n" +
			"K1;05/01/2026;21.10;21.10.08;Malam;Iseng\nK2;05/01/2026;23.58;00.01;Malam;Normal\n",
		"answered 2, classified 2, received 2",
	},
	"guards and error words": {
		"No Tiket,Waktu Masuk,No HP,OPD\n=\"0234\",05/01/2026 08:00,=\"081234567890\",#REF!\n" +
			"'0235,05/01/2026 08:01,'0812345678,Dishub\n",
		"assigned 1, opened 1, received 2",
	},
	"no header word that is known": {
		"Kode,Kapan,Siapa,Apa\nX-1,2026-01-02 03:04,0812345678901,Dishub\nX-2,2026-01-02 03:05,0812345678902,Damkar\n",
		"assigned 2, opened 2, received 2",
	},
	"a row an OPD's unit": {
		"No Laporan,Waktu Laporan,OPD,Waktu Tiba\nU-1,05/01/2026 08:00,Damkar,05/01/2026 08:14\n" +
			"U-1,05/01/2026 08:00,Damkar,05/01/2026 08:09\nU-2,05/01/2026 09:00,Damkar,\n",
		"arrived 1, assigned 2, opened 2",
	},
	"a log of states": {
		"No Tiket,Waktu,Status,OPD\nS-1,05/01/2026 08:00,Baru,\nS-1,05/01/2026 08:04,Disposisi,Dishub\n" +
			"S-1,05/01/2026 08:20,Diterima OPD,Dishub\nS-1,05/01/2026 08:20,Ditunda,Dishub\n" +
			"S-1,05/01/2026 08:20,Dilanjutkan,Dishub\nS-1,05/01/2026 09:00,Selesai,Dishub\n" +
			"S-1,05/01/2026 09:05,Selesai,Dishub\nS-1,05/01/2026 10:00,Dibuka Kembali,Dishub\n" +
			"S-1,05/01/2026 11:00,Selesai,Dishub\nS-2,05/01/2026 08:30,Baru,\nS-2,05/01/2026 08:31,Cetak,\n",
		"acknowledged 1, assigned 1, opened 2, paused 1, reopened 1, resolved 2, resumed 1",
	},
	"a log in English, newest first": {
		"Ticket ID,Changed At,Status,Department\n9a,2026-01-05 12:00,closed,PWD\n9a,2026-01-05 11:00,resolved,PWD\n" +
			"9a,2026-01-05 10:00,resumed,PWD\n9a,2026-01-05 10:00,on hold,PWD\n" +
			"9b,2026-01-05 09:30,open,\n9a,2026-01-05 09:10,assigned,PWD\n9a,2026-01-05 09:00,open,\n",
		"assigned 1, closed 1, opened 2, paused 1, resolved 1, resumed 1",
	},
	"classes with remarks": {
		"No Tiket,Waktu Masuk,Jenis Panggilan\nP-1,05/01/2026 08:00,Prank (anak-anak)\nP-2,05/01/2026 08:01,Darurat - " +
			"Kebakaran\n" +
			"P-3,05/01/2026 08:02,Ghost Call\n",
		"classified 3, received 3",
	},
	"a date without a time": {
		"No Register,Tanggal Laporan,Kategori,OPD,Tanggal Selesai\nR/01,05/01/2026,PJU,Dishub,07/01/2026\n" +
			"R/02,06/01/2026,PJU,Dishub,\n",
		"assigned 2, opened 2, resolved 1",
	},
	"names of months and days": {
		"No Panggilan,Waktu Panggilan,Klasifikasi\nP1,\"Senin, 05 Januari 2026 pukul 08.00 WIB\",Normal\n" +
			"P2,\"Selasa, 6 Jan 2026 08.00\",Panggilan Kosong\n", "classified 2, received 2",
	},
	"a month before the telephone system's clock was set": {
		"Call ID,Timestamp\nc1,2026-01-05 08:00:00\nc2,1969-01-01 00:00:00\n", "received 1, refused 1",
	},
	"the row's number is no case": {
		"No,Nomor Tiket,Waktu\n1,TK-9,05/01/2026 08:00\n2,TK-4,05/01/2026 09:00\n", "received 2",
	},
	"columns between tabs in Windows-1252": {
		"No Tiket\tWaktu Masuk\tKecamatan\nT\xe9-1\t05/01/2026 08:00\tWaru\nT-2\t05/01/2026 08:00\tTaman\n", "received 2",
	},
}

func TestOfficesFilesByTheirOwnProposals(t *testing.T) {
	dir := directory.MustLoad("directory.yaml", deploy.Directory)
	for name, tt := range offices {
		t.Run(name, func(t *testing.T) {
			file := write(t, "x.csv", []byte(tt.file))
			m, p := proposed(t, file)
			for _, c := range p.Columns {
				told := c.Role != "" || slices.ContainsFunc(p.Notes, func(n string) bool {
					return strings.HasPrefix(n, fmt.Sprintf("the column %q is not used", c.Header))
				})
				if !told {
					t.Errorf("nothing is said of the column %q", c.Header)
				}
			}
			var events bytes.Buffer
			sum, err := Import(t.Context(), Options{Mapping: m, Files: []string{file}, Events: &events, Directory: dir})
			if err != nil && !errors.Is(err, ErrRefused) {
				t.Fatalf("%v\n%s", err, p.YAML)
			}
			counts := map[string]int{}
			for line := range strings.Lines(events.String()) {
				_, rest, _ := strings.Cut(line, `"type":"monev112.`)
				typ, _, _ := strings.Cut(rest, `"`)
				counts[typ[strings.IndexByte(typ, '.')+1:]]++
			}
			if n := sum.RefusedTotal(); n > 0 {
				counts["refused"] = n
			}
			var got []string
			for _, k := range slices.Sorted(maps.Keys(counts)) {
				got = append(got, fmt.Sprintf("%s %d", k, counts[k]))
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("got %s\nwant %s\n%s\n%s\n%s", strings.Join(got, ", "), tt.want, p.YAML, strings.Join(p.Notes, "\n"),
					strings.Join(sum.FirstRefusals, "\n"))
			}
		})
	}
}

// What is no table of calls or tickets is refused with what was seen in its columns.
func TestWhatIsNoTableIsSaidSo(t *testing.T) {
	for _, text := range []string{
		"Nama,Umur,Kota asal\nBudi,3,Sidoarjo\nAni,4,Waru\n", "Tanggal,Jam,Jumlah\n05/01/2026,08,3\n05/01/2026,09,5\n",
	} {
		_, err := mapping.Propose(t.Context(), mapping.ProposeOptions{
			File: write(t, "x.csv", []byte(text)), Name: "x", Source: "x", Center: "35.15", Timezone: "Asia/Jakarta",
			Directory: directory.MustLoad("directory.yaml", deploy.Directory),
		})
		if !errors.Is(err, mapping.ErrNoHeader) || !strings.Contains(err.Error(), `": `) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever a file holds, a proposal is a mapping or an error.
func FuzzPropose(f *testing.F) {
	for _, o := range offices {
		f.Add([]byte(o.file))
	}
	f.Add([]byte("Tiket;;A\n0;1/1/01"))
	f.Add([]byte("\"}: {\",Waktu,No Tiket\nx,05/01/2026 08:00,1\n"))
	dir := directory.MustLoad("directory.yaml", deploy.Directory)
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := mapping.Propose(t.Context(), mapping.ProposeOptions{
			File: write(t, "x.csv", file), Name: "x", Source: "x", Center: "35.15", Timezone: "Asia/Jakarta", Directory: dir,
			Limits: tabular.Limits{Columns: 64},
		})
		if err == nil {
			if _, err := mapping.Parse("x.yaml", []byte(p.YAML)); err != nil {
				t.Fatal(err)
			}
		} else if p.YAML != "" {
			t.Fatalf("a proposal that is no mapping: %v\n%s", err, p.YAML)
		}
	})
}

// A mapping names columns by their headers: one without a header is not used, and it is said what to do.
func TestAColumnWithoutAHeaderIsNotUsed(t *testing.T) {
	dir := directory.MustLoad("directory.yaml", deploy.Directory)
	propose := func(file string, roles map[string]string) (mapping.Proposal, error) {
		return mapping.Propose(t.Context(), mapping.ProposeOptions{File: write(t, "x.csv", []byte(file)), Name: "x", Source: "x",
			Center: "35.15", Timezone: "Asia/Jakarta", Directory: dir, Roles: roles})
	}
	const only = "Tiket;;A\n1;01/02/2026 08:00;x\n2;01/02/2026 09:00;y\n"
	if _, err := propose(only, nil); !errors.Is(err, mapping.ErrNoHeader) ||
		!strings.Contains(err.Error(), "write one into the file") {
		t.Errorf("the only time has no header: %v", err)
	}
	if _, err := propose(only, map[string]string{"": "received_full"}); err == nil ||
		!strings.Contains(err.Error(), "write a header") {
		t.Errorf("a role for a column without a header: %v", err)
	}
	p, err := propose("No Tiket;Waktu;;\n1;01/02/2026 08:00;damkar;0811111111\n2;01/02/2026 09:00;dishub;0822222222\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(p.YAML, `column: ""`) {
		t.Errorf("a column without a name:\n%s", p.YAML)
	}
}

// What can be read in two ways is read as its office means it, or refused with what to do: by the file's own proposal.
// want are the times of the events of the first case in Jakarta, or what is said.
func TestWhatCanBeReadInTwoWays(t *testing.T) {
	dir := directory.MustLoad("directory.yaml", deploy.Directory)
	for name, tt := range map[string]struct{ file, want string }{
		"08.10.12 is a time of day beside a date": {
			"No Tiket,Tanggal,Jam Masuk,Jam Jawab\nA,01/10/2026,08.10.05,08.10.12\nB,02/10/2026,09.10.05,09.10.12\n",
			"answered 01 08:10:12, received 01 08:10:05",
		},
		"08.10.12 is a time of day without a header that says so": {
			"No Tiket,Hari,Mulai,x\nA,01.10.26,08.10.05,p\nB,02.10.26,09.11.06,q\nC,03.10.26,10.12.07,r\n",
			"received 01 08:10:05",
		},
		"01.10.26 is a date where the header says so": {
			"No Tiket,Tanggal,Jam Lapor,Tanggal Selesai,OPD\nA,01.10.26,08.00,02.10.26,Dishub\n" +
				"B,02.10.26,08.00,03.10.26,Dishub\n",
			"assigned 01 08:00:00, opened 01 08:00:00, resolved 02 00:00:00",
		},
		"a time of day takes the date of the time before it": {
			"No Tiket,Waktu Masuk,Jam Jawab,Jam Selesai\nA,01/10/2026 23.58.05,23.58.12,00.03.01\n" +
				"B,02/10/2026 09.10.05,09.10.12,09.12.00\n",
			"answered 01 23:58:12, ended 02 00:03:01, received 01 23:58:05",
		},
		"another zone than the regency's": {
			"No Tiket,Tanggal,Jam Masuk,Jam Jawab\nA,01/10/2026,09.00 WITA,09.01 WITA\nB,01/10/2026,09.00 WITA,09.01 WITA\n",
			"answered 01 08:01:00, received 01 08:00:00",
		},
		"the regency's own zone, over midnight": {
			"No Tiket,Tanggal,Jam Masuk,Jam Jawab\nA,01/10/2026,23.59 WIB,00.01 WIB\nB,01/10/2026,09.00 WIB,09.01 WIB\n",
			"answered 02 00:01:00, received 01 23:59:00",
		},
		"calls of one ticket are no log of states": {
			"No Tiket,Waktu Masuk,Jam Jawab,No HP,Status\nA,01/10/2026 08:00,08:01,0811111111,Proses\n" +
				"A,01/10/2026 09:00,09:01,0811111112,Selesai\nB,01/10/2026 09:00,09:01,0811111113,Selesai\n",
			"answered 01 08:01:00, received 01 08:00:00",
		},
		"a log of states names the caller of a ticket in each row": {
			"No Tiket,Waktu,Status,OPD,No HP\nA,01/10/2026 08:00,Diteruskan,Dishub,0811111111\n" +
				"A,01/10/2026 09:00,Selesai,Dishub,0811111111\nB,01/10/2026 09:00,Diteruskan,Dishub,0811111113\n",
			"assigned 01 08:00:00, opened 01 08:00:00, resolved 01 09:00:00",
		},
		"dates of many years are no times of day": {
			"No Tiket,Lapor,OPD\nA,01.10.23,Dishub\nB,02.10.24,Dishub\nC,24.10.25,Dishub\nD,03.10.26,Dishub\n" +
				"E,04.10.26,Dishub\n",
			"assigned 01 00:00:00, opened 01 00:00:00, received 01 00:00:00",
		},
		"02.10.26 is a date where a header says neither": {
			"No Tiket,Waktu Lapor,OPD,Waktu Selesai\nA,01.10.26,Dishub,02.10.26\nB,02.10.26,Dishub,03.10.26\n",
			"assigned 02 00:00:00, ended 02 00:00:00, opened 02 00:00:00, received 01 00:00:00",
		},
		"a wait on a clock": {
			"No Tiket,Waktu Masuk,Jam Jawab,Lama Tunggu\nA,01/10/2026 08:00,08:01,00:00:07\nB,01/10/2026 09:00,09:01,00:00:09\n",
			"answered 01 08:01:00, received 01 08:00:00",
		},
		"coordinates with a comma": {
			"No Tiket;Waktu Lapor;Waktu Tiba;Lat;Lon;OPD\nA;01/10/2026 08:00;01/10/2026 08:09;-7,4476;112,5157;Damkar\n" +
				"B;01/10/2026 08:00;01/10/2026 08:09;-7,4;112,5;Damkar\n",
			"arrived 01 08:09:00, assigned 01 08:00:00, opened 01 08:00:00",
		},
		"durations that are parts of a day": {
			"No Tiket;Waktu Masuk;Durasi\nA;01/10/2026 08:00;0,0417\nB;01/10/2026 09:00;0,0021\n", "can be read in two ways",
		},
		"durations on a clock with points": {
			"No Tiket,Waktu Masuk,Durasi\nA,01/10/2026 08:00,02.35\nB,01/10/2026 09:00,12.10\n", "can be read in two ways",
		},
		"durations with thousands": {
			"No Tiket,Waktu Masuk,Durasi\nA,01/10/2026 08:00,1.250\nB,01/10/2026 09:00,65\n", "can be read in two ways",
		},
		"waits on a clock with points": {
			"No Tiket,Waktu Masuk,Jam Jawab,Lama Tunggu\nA,01/10/2026 08:00,08:01,00.35\nB,01/10/2026 09:00,09:01,12.10\n",
			"can be read in two ways",
		},
		"serial numbers of dates in a text": {
			"No Tiket;Waktu Masuk\nA;46296,3333333333\nB;46297,25\n", "received 01 08:00:00",
		},
		"numbers of cases that a spreadsheet cut": {
			"No Tiket,Waktu Masuk\n1.23457E+15,01/10/2026 08:00\n1.23457E+15,01/10/2026 09:00\n", "kept only the first digits",
		},
		"times that a spreadsheet cut": {
			"No Tiket,Waktu Masuk\nA,1.76196E+12\nB,1.76196E+12\n", "fits none of the formats",
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, "x.csv", []byte(tt.file))
			m, p := proposed(t, file)
			var events bytes.Buffer
			sum, err := Import(t.Context(), Options{Mapping: m, Files: []string{file}, Events: &events, Directory: dir})
			if err != nil && !errors.Is(err, ErrRefused) {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(events.String()) {
				var e struct {
					Type, Subject string
					Time          time.Time
				}
				if err := json.Unmarshal([]byte(line), &e); err != nil {
					t.Fatal(err)
				}
				if strings.HasSuffix(e.Subject, "/A") {
					got = append(got, e.Type[strings.LastIndexByte(e.Type, '.')+1:]+" "+
						e.Time.In(time.FixedZone("WIB", 7*3600)).Format("02 15:04:05"))
				}
			}
			slices.Sort(got)
			said := strings.Join(slices.Concat(p.Notes, sum.FirstRefusals), "\n")
			if strings.Join(got, ", ") != tt.want && !strings.Contains(said, tt.want) {
				t.Errorf("got %s, want %s\n%s\n%s", strings.Join(got, ", "), tt.want, said, p.YAML)
			}
		})
	}
}

// A wait of 1.250 among whole ones is more than a quarter of an hour; one of 7,250 where each has a comma is seven seconds.
func TestSignsOfNumbers(t *testing.T) {
	dir := directory.MustLoad("directory.yaml", deploy.Directory)
	for waits, want := range map[[2]string]string{
		{"1.250", "65"}: `"wait_ms":1250000`, {"1,250", "65"}: `"wait_ms":1250000`, {"7,250", "65,125"}: `"wait_ms":7250`,
		{"7,5", "65"}: `"wait_ms":7500`, {"7.250", "65.125"}: `"wait_ms":7250`, {"7", "65"}: `"wait_ms":7000`,
	} {
		file := write(t, "x.csv", []byte("No Tiket;Waktu Masuk;Jam Jawab;Lama Tunggu\nA;01/10/2026 08:00;08:30;"+waits[0]+
			"\nB;01/10/2026 09:00;09:10;"+waits[1]+"\n"))
		m, p := proposed(t, file)
		var events bytes.Buffer
		_, err := Import(t.Context(), Options{Mapping: m, Files: []string{file}, Events: &events, Directory: dir})
		if err != nil || !strings.Contains(events.String(), want) {
			t.Errorf("%q: %v, want %s:\n%s%s", waits, err, want, p.YAML, events.String())
		}
	}
}
