package report

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	_ "image/jpeg" // a logo may be one
	"image/png"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/monev/chart"
)

// Settings is the section "report" of the configuration file: what is printed around the figures, and what is aimed at.
type Settings struct {
	// Title of the report; "Laporan Kinerja Pelayanan Call Center 112".
	Title string `yaml:"title" json:"title"`
	// Institution makes the report: "Dinas Komunikasi dan Informatika Kabupaten Sidoarjo". It stands in the head of every
	// page.
	Institution string `yaml:"institution" json:"institution"`
	// Letterhead are the lines of the kop surat: the government first, the address last. None leaves its place free.
	Letterhead []string `yaml:"letterhead" json:"letterhead"`
	// Logo is a PNG or JPEG file beside the letterhead.
	Logo string `yaml:"logo" json:"-"`
	// Borders is a GeoJSON file with the borders of the kecamatan, and BordersCode the property that has their codes,
	// "kode" when empty. Without it the map is tiles.
	Borders     string `yaml:"borders" json:"-"`
	BordersCode string `yaml:"borders_code" json:"borders_code,omitempty"`
	// City stands before the date of the signatures.
	City string `yaml:"city" json:"city"`
	// Number is how the letter number begins; it is completed by hand.
	Number      string      `yaml:"number" json:"number"`
	Signatories []Signatory `yaml:"signatories" json:"signatories"`
	Targets     Targets     `yaml:"targets" json:"targets"`
}

// Signatory signs the report. Everything may be left out but the office.
type Signatory struct {
	Role   string `yaml:"role" json:"role"`     // "Mengetahui"
	Office string `yaml:"office" json:"office"` // "Kepala Dinas Komunikasi dan Informatika"
	Name   string `yaml:"name" json:"name"`     // empty leaves a dotted line
	Rank   string `yaml:"rank" json:"rank"`     // "Pembina Utama Muda"
	Number string `yaml:"number" json:"number"` // NIP
}

// Targets are the shares that the indicators aim at, each between 0 and 1; 0.9 where nothing is written. Hoax aims to
// stay below its target, and without one below the same month of the year before.
type Targets struct {
	Answer      *float64 `yaml:"answer" json:"answer"`
	Fire        *float64 `yaml:"fire" json:"fire"`
	Acknowledge *float64 `yaml:"acknowledge" json:"acknowledge"`
	Resolve     *float64 `yaml:"resolve" json:"resolve"`
	Hoax        *float64 `yaml:"hoax" json:"hoax"`
}

func (t *Targets) of(indicator string) *float64 {
	return map[string]*float64{
		Answer: t.Answer, Fire: t.Fire, Acknowledge: t.Acknowledge, Resolve: t.Resolve, Hoax: t.Hoax,
	}[indicator]
}

// Bounds of Settings.
const (
	defaultTitle   = "Laporan Kinerja Pelayanan Call Center 112"
	defaultTarget  = 0.9
	maxTextRunes   = 160 // of one line
	maxLines       = 6   // of the letterhead
	maxSignatories = 4
	MaxLogoBytes   = 256 << 10
	// MaxBordersBytes bounds the borders: they are kept with every report that was handed out.
	MaxBordersBytes = 1 << 20
	maxLogoPixels   = 2000 // on a side
)

func (s Settings) withDefaults() Settings {
	if s.Title == "" {
		s.Title = defaultTitle
	}
	for _, t := range []**float64{&s.Targets.Answer, &s.Targets.Fire, &s.Targets.Acknowledge, &s.Targets.Resolve} {
		if *t == nil {
			v := defaultTarget
			*t = &v
		}
	}
	return s
}

// Resolve makes the paths of logo and borders absolute.
func (s *Settings) Resolve(path func(string) string) {
	s.Logo, s.Borders = path(s.Logo), path(s.Borders)
}

// Check tells the first mistake that the text shows, with its key and what would be right. It opens no file.
func (s *Settings) Check() error {
	if len(s.Letterhead) > maxLines {
		return fmt.Errorf("letterhead: %d lines; write at most %d", len(s.Letterhead), maxLines)
	}
	if len(s.Signatories) > maxSignatories {
		return fmt.Errorf("signatories: %d people; name at most %d, who fit beside each other", len(s.Signatories),
			maxSignatories)
	}
	lines := [][2]string{
		{"title", s.Title}, {"institution", s.Institution}, {"city", s.City}, {"number", s.Number},
	}
	for i, text := range s.Letterhead {
		lines = append(lines, [2]string{fmt.Sprintf("letterhead[%d]", i), text})
	}
	for i, p := range s.Signatories {
		at := fmt.Sprintf("signatories[%d].", i)
		if strings.TrimSpace(p.Office) == "" {
			return fmt.Errorf("%soffice: is missing; write the office, such as Kepala Dinas", at)
		}
		lines = append(lines, [2]string{at + "role", p.Role}, [2]string{at + "office", p.Office},
			[2]string{at + "name", p.Name}, [2]string{at + "rank", p.Rank}, [2]string{at + "number", p.Number})
	}
	for _, l := range lines {
		switch n := utf8.RuneCountInString(l[1]); {
		case n > maxTextRunes:
			return fmt.Errorf("%s: %d characters; write at most %d, which fit on a line", l[0], n, maxTextRunes)
		case strings.ContainsFunc(l[1], unicode.IsControl):
			return fmt.Errorf("%s: a control character stands in it; write one line of text", l[0])
		}
	}
	for _, id := range indicatorOrder {
		if t := s.Targets.of(id); t != nil && !(*t > 0 && *t <= 1) {
			return fmt.Errorf("targets.%s: %g; write a share above 0 and at most 1, such as 0.9", id, *t)
		}
	}
	return nil
}

// CheckFiles refuses a logo that cannot be printed, and borders that cannot be drawn.
func (s *Settings) CheckFiles() error {
	if _, err := s.ReadLogo(); err != nil {
		return fmt.Errorf("report.%w", err)
	}
	if _, err := s.ReadBorders(); err != nil {
		return fmt.Errorf("report.%w", err)
	}
	return nil
}

// ReadBorders reads the borders as they stand in their file, nil when there are none. It refuses what cannot be drawn.
func (s *Settings) ReadBorders() ([]byte, error) {
	if s.Borders == "" {
		return nil, nil
	}
	text, err := disk.ReadFile(disk.OS{}, s.Borders, MaxBordersBytes)
	if err == nil {
		_, err = chart.ReadBorders(text, s.bordersCode())
	}
	if err != nil {
		return nil, fmt.Errorf("borders: %w; use GeoJSON in degrees, at most %d KiB, with a code in the property %q", err,
			MaxBordersBytes>>10, s.bordersCode())
	}
	return text, nil
}

func (s *Settings) bordersCode() string { return cmp.Or(s.BordersCode, "kode") }

// ReadLogo reads the logo as a PNG, nil when there is none. It refuses what is no PNG or JPEG of bounded size.
func (s *Settings) ReadLogo() ([]byte, error) {
	if s.Logo == "" {
		return nil, nil
	}
	text, err := disk.ReadFile(disk.OS{}, s.Logo, MaxLogoBytes)
	if err != nil {
		return nil, fmt.Errorf("logo: %w; use a PNG or JPEG of at most %d KiB", err, MaxLogoBytes>>10)
	}
	c, kind, err := image.DecodeConfig(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("logo: %s is no picture (%w); use a PNG or JPEG", s.Logo, err)
	}
	if c.Width > maxLogoPixels || c.Height > maxLogoPixels || c.Width == 0 || c.Height == 0 {
		return nil, fmt.Errorf("logo: %s has %d x %d pixels; use at most %d on a side", s.Logo, c.Width, c.Height,
			maxLogoPixels)
	}
	picture, _, err := image.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("logo: %s is damaged (%w); save it anew", s.Logo, err)
	}
	if kind == "png" {
		return text, nil
	}
	var out bytes.Buffer
	err = png.Encode(&out, picture)
	return out.Bytes(), err
}
