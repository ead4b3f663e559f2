package main

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector"
	"github.com/monev112/monev112/collector/web"
)

func linkCommand() *cobra.Command {
	var (
		data, config, to, center, opd, name, expires, address, revoke string
		list                                                          bool
	)
	cmd := &cobra.Command{
		Use:   "link --to papan|opd [--center CODE] [--opd ID --name HOLDER] [--expires 90d]",
		Short: "Make, list and revoke the links of displays on a wall and of heads of departments",
		Long: `link makes a signed link that asks for no key.

--to papan: to the wallboard of a centre, for a screen that nobody signs in at. It shows counts and nothing else.
--to opd: to the pages of one OPD of a centre, for a head who is known by --name, best an office. It shows the tickets
of that OPD alone; what is recorded through it is written down with that name.

A link opens until it expires or is revoked, which a running service sees at once. The address is pages.public_url of
the configuration, or --url; without either the link is for this machine.`,
		Example: `  monev112 link --to papan --center 35.15 --expires 365d
  monev112 link --to opd --center 35.15 --opd dishub --name "Kepala Dinas Perhubungan" --expires 90d
  monev112 link --list
  monev112 link --revoke d1f0c2a9`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			links, now := web.LinkList{Dir: data}, time.Now()
			switch {
			case list:
				return printDisplays(cmd.OutOrStdout(), links, now)
			case revoke != "":
				l, err := links.Revoke(revoke, now)
				if err != nil {
					return err
				}
				what := "screens that show it stop within 10 s"
				if l.To == web.ToOPD {
					what = "its pages open no more"
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "link %s is revoked; %s\n", l.ID, what)
				return err
			case to == "":
				return usagef("say what to do: --to %s, --to %s, --list or --revoke ID", web.ToWallboard, web.ToOPD)
			case to != web.ToWallboard && to != web.ToOPD:
				return usagef("--to %q is unknown: use %s or %s", to, web.ToWallboard, web.ToOPD)
			case to == web.ToOPD && (opd == "" || name == ""):
				return usagef("--to %s needs --opd, and --name of who holds the link", web.ToOPD)
			case to == web.ToWallboard && (opd != "" || name != ""):
				return usagef("--opd and --name are for --to %s", web.ToOPD)
			}
			expires = cmp.Or(expires, map[string]string{web.ToWallboard: "365d", web.ToOPD: "90d"}[to])
			lifetime, err := parseDays(expires)
			if err != nil {
				return err
			}
			file, dir, err := readDirectory(config)
			if err != nil {
				return err
			}
			center = cmp.Or(center, dir.DefaultCenter())
			if c, known := dir.Center(center); !known || c.Historical {
				return fmt.Errorf("centre %q has no live board: name one of the directory with --center", center)
			}
			base := cmp.Or(address, file.Pages.PublicURL, "http://"+collector.DefaultListen)
			if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				return usagef("--url %q: use https://host or https://host/folder", base)
			}
			var l web.ListedLink
			var token string
			folder := web.ToWallboard
			if to == web.ToOPD {
				id, known := dir.ResolveOPD(center, opd)
				if !known {
					return fmt.Errorf("the directory of centre %s knows no OPD %q", center, opd)
				}
				folder = web.ToOPD + "/" + id
				l, token, err = links.CreateOPD(center, id, name, lifetime, now)
			} else {
				l, token, err = links.Create(center, lifetime, now)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s/%s/%s\n", strings.TrimRight(base, "/"), folder, token)
			fmt.Fprintf(cmd.ErrOrStderr(),
				"link %s opens until %s; it is shown only once. To end it: monev112 link --revoke %s\n", l.ID,
				l.ExpiresAt.Format(time.DateOnly), l.ID)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "data", "data folder of the service")
	f.StringVar(&config, "config", "", "configuration file (default: the built-in one, for Sidoarjo)")
	f.StringVar(&to, "to", "", "what the link opens: papan, the wallboard; opd, the pages of an OPD")
	f.StringVar(&center, "center", "", "centre whose board or OPD it shows (default: that of the directory)")
	f.StringVar(&opd, "opd", "", "OPD whose pages it shows: id or name in the directory")
	f.StringVar(&name, "name", "", "who holds it, best an office; written down with what is recorded")
	f.StringVar(&expires, "expires", "", "how long it opens: 90d, 12h; at most 400d (default: 365d of a display, 90d of "+
		"a person)")
	f.StringVar(&address, "url", "", "address of the service as the screen or telephone reaches it")
	f.BoolVar(&list, "list", false, "list the links, without what opens them")
	f.StringVar(&revoke, "revoke", "", "end the link with this id")
	cmd.MarkFlagsMutuallyExclusive("to", "list", "revoke")
	return cmd
}

// parseDays reads a duration of Go, or a number of days such as 365d.
func parseDays(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 10_000 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	return 0, usagef("--expires %q: use days such as 365d, or hours such as 12h", text)
}

func printDisplays(out io.Writer, links web.LinkList, now time.Time) error {
	all, err := links.List()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tTO\tCENTER\tCREATED\tSTATE\tOPD\tHOLDER")
	for i := range all {
		l := &all[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.To, l.Center, l.CreatedAt.Format(time.DateOnly),
			validity("opens", l.RevokedAt, l.ExpiresAt, now), l.OPD, l.Name)
	}
	return w.Flush()
}
