package report

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // a logo may be one
	_ "image/png"
	"os"
	"strings"
	"unicode/utf8"
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
	maxLogoPixels  = 2000 // on a side
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

// Resolve makes the path of the logo absolute.
func (s *Settings) Resolve(path func(string) string) { s.Logo = path(s.Logo) }

// Check tells every mistake that the text shows, with its key and what would be right. It opens no file.
func (s *Settings) Check() error {
	var errs []error
	line := func(key, text string) {
		switch n := utf8.RuneCountInString(text); {
		case n > maxTextRunes:
			errs = append(errs, fmt.Errorf("%s: has %d characters; at most %d fit on a line", key, n, maxTextRunes))
		case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
			errs = append(errs, fmt.Errorf("%s: holds a control character; write one line of text", key))
		}
	}
	line("title", s.Title)
	line("institution", s.Institution)
	line("city", s.City)
	line("number", s.Number)
	if len(s.Letterhead) > maxLines {
		errs = append(errs, fmt.Errorf("letterhead: has %d lines; at most %d", len(s.Letterhead), maxLines))
	}
	for i, text := range s.Letterhead {
		line(fmt.Sprintf("letterhead[%d]", i), text)
	}
	if len(s.Signatories) > maxSignatories {
		errs = append(errs, fmt.Errorf("signatories: %d people; at most %d fit beside each other", len(s.Signatories),
			maxSignatories))
	}
	for i, p := range s.Signatories {
		at := fmt.Sprintf("signatories[%d].", i)
		if strings.TrimSpace(p.Office) == "" {
			errs = append(errs, fmt.Errorf("%soffice: is missing; write the office, as Kepala Dinas", at))
		}
		for key, text := range map[string]string{
			"role": p.Role, "office": p.Office, "name": p.Name, "rank": p.Rank, "number": p.Number,
		} {
			line(at+key, text)
		}
	}
	for _, id := range indicatorOrder {
		if t := s.Targets.of(id); t != nil && (*t <= 0 || *t > 1) {
			errs = append(errs, fmt.Errorf("targets.%s: %g; write a share such as 0.9 for 90 %%", id, *t))
		}
	}
	return errors.Join(errs...)
}

// ReadLogo reads the logo, nil when there is none. It refuses what is no PNG or JPEG of bounded size.
func (s *Settings) ReadLogo() ([]byte, error) {
	if s.Logo == "" {
		return nil, nil
	}
	info, err := os.Stat(s.Logo)
	if err != nil {
		return nil, fmt.Errorf("logo: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > MaxLogoBytes {
		return nil, fmt.Errorf("logo: %s is no file of at most %d KiB; make the picture smaller", s.Logo, MaxLogoBytes>>10)
	}
	text, err := os.ReadFile(s.Logo)
	if err != nil {
		return nil, fmt.Errorf("logo: %w", err)
	}
	if len(text) > MaxLogoBytes {
		return nil, fmt.Errorf("logo: %s grew beyond %d KiB while it was read", s.Logo, MaxLogoBytes>>10)
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("logo: %s is no PNG or JPEG: %w", s.Logo, err)
	}
	if c.Width > maxLogoPixels || c.Height > maxLogoPixels || c.Width == 0 || c.Height == 0 {
		return nil, fmt.Errorf("logo: %s has %d x %d pixels; at most %d on a side", s.Logo, c.Width, c.Height, maxLogoPixels)
	}
	return text, nil
}
