// Package figure owns the page /angka: which definitions give a published percentage. It computes nothing itself.
package figure

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"

	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/number"
	"github.com/monev112/monev112/collector/web/page"
)

//go:embed templates
var files embed.FS

// Find answers what a number may be.
type Find func(ctx context.Context, r number.Request) (number.Result, error)

type pages struct {
	find      Find
	templates *template.Template
}

// Mount gives the site its page /angka.
func Mount(s *page.Site, find Find) {
	p := &pages{find, page.MustParse(files, "templates/*.html")}
	access := page.Scopes(auth.BoardRead, auth.MonevWrite)
	s.Handle("GET /angka", access, p.show)
	s.Menu("/angka", page.Text{Indonesian: "Asal angka", English: "Where a number comes from"}, access)
}

type view struct {
	Asked  number.Request
	Wrong  string
	Result *number.Result
	Rows   []row
}

// row is a share as people read it.
type row struct{ Share, NumeratorText, DenominatorText, CountedText, OfText, NText string }

func (v *view) add(r *page.Request, m number.Match) {
	t := row{
		indonesian.Decimal(m.Percent, 3) + " %", m.Numerator.Indonesian, m.Denominator.Indonesian,
		indonesian.Number(m.Counted), indonesian.Number(m.Of), indonesian.Number(m.N),
	}
	if r.Lang == page.English {
		t = row{
			fmt.Sprintf("%.3f %%", m.Percent), m.Numerator.English, m.Denominator.English, fmt.Sprint(m.Counted),
			fmt.Sprint(m.Of), fmt.Sprint(m.N),
		}
	}
	v.Rows = append(v.Rows, t)
}

func (p *pages) show(r *page.Request) {
	q := r.URL.Query()
	v := view{
		Asked: number.Request{
			Value: q.Get("value"), Center: r.Person.Center(), Since: q.Get("since"), Until: q.Get("until"),
		},
	}
	status := http.StatusOK
	if q.Has("value") {
		result, err := p.find(r.Context(), v.Asked)
		var no *number.RefusedError
		switch {
		case errors.As(err, &no):
			status, v.Wrong = http.StatusBadRequest, no.Reason
			if r.Lang != page.English {
				v.Wrong = "Isian tidak dapat dibaca. Tulis persentase seperti 80,7 % dan dua tanggal; tanggal kedua adalah hari " +
					"setelah hari terakhir."
			}
		case err != nil:
			status, v.Wrong = http.StatusServiceUnavailable, r.Say(page.DatabaseAway)
		default:
			v.Result = &result
			for _, m := range append(result.Fits, result.Nearest...) {
				v.add(r, m)
			}
		}
	}
	r.Render(page.Page{
		Title: r.T("Asal angka", "Where a number comes from"), Templates: p.templates, Name: "figure.html", Data: v,
		Status: status,
	})
}
