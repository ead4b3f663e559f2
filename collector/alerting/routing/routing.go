package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/internal/yamlfile"
	"github.com/monev112/monev112/collector/sla"
)

// Receivers that exist once. The others are named after the centre and the OPD: see ReceiverOf.
const (
	Operations        = "diskominfo"       // alerts for Diskominfo; says when a condition is over
	OperationsTickets = "diskominfo-tiket" // tickets that Diskominfo hears of
	Watchdog          = "pengawas"         // the service outside of this host
	Silent            = "senyap"           // nobody
)

// atCenter is the OPD of a ticket that no OPD has.
const atCenter = "none"

// Levels of a ticket alert that lead to the superior.
const escalatedLevels = "escalated|escalated2"

// Names of alerts that the routes and inhibitions rely on; alerts/rules defines them.
const (
	alertCallerWaiting = "Monev112CallerWaiting"
	alertWatchdog      = "Monev112Watchdog"
)

// pusherGone are the alerts under which the absence of a ticket alert means nothing.
var pusherGone = []string{"Monev112CollectorAbsent", "Monev112BoardIncomplete", "Monev112PagerStalled"}

// Input is what a configuration is made of.
type Input struct {
	Directory *directory.Directory
	Calendar  func(center string) *sla.Calendar // nil: the centre has none, and nothing is ever held back
	Contacts  *Contacts
	From      time.Time // open hours are written from this month on
	Templates string    // glob of the message templates; relative to the configuration file. Empty: templates/*.tmpl
}

// kinds of a receiver: which templates it uses, and whether it says that a condition is over.
type kind struct {
	define       string // of templates: monev112.<define>.telegram, .email, .subject
	sendResolved bool
}

var (
	aggregate = kind{"aggregate", true}
	tickets   = kind{"tickets", false} // an alert that merely ends says nothing
)

// ReceiverOf names the receiver of an OPD's head. Dots become dashes: Alertmanager shows names quoted as a pattern.
func ReceiverOf(center, opd string) string { return dashed("opd-" + center + "-" + opd) }

// SupervisorsOf names the receiver of a centre's call-floor supervisors.
func SupervisorsOf(center string) string { return dashed("koordinator-" + center) }

// LeadershipOf names the receiver of a centre's Asisten and Sekda.
func LeadershipOf(center string) string { return dashed("pimpinan-" + center) }

// UrgentOf names the receiver that reaches the people of another one by every way at once, and needs the service for
// WhatsApp alone. It exists where the service sends to them: else the receiver itself does.
func UrgentOf(receiver string) string { return receiver + urgentSuffix }

const urgentSuffix = "-darurat"

// Recipient is who stands behind a receiver of tickets.
type Recipient struct {
	Center   string
	OPD      string // empty: the leadership of the centre
	Channels Channels
	Urgent   bool // Alertmanager uses the other ways itself, at the same time
}

// Recipient returns who stands behind a receiver.
func (c *Contacts) Recipient(receiver string) (r Recipient, ok bool) {
	name, urgent := strings.CutSuffix(receiver, urgentSuffix)
	for i := range c.Centers {
		k := &c.Centers[i]
		if name == LeadershipOf(k.Code) {
			return Recipient{k.Code, "", k.Leadership, urgent}, true
		}
		for _, o := range k.OPDs {
			if name == ReceiverOf(k.Code, o.ID) {
				return Recipient{k.Code, o.ID, o.Channels, urgent}, true
			}
		}
	}
	return r, false
}

// Find returns who has channels of which has is true, in a centre or, where it is empty, in any, and the receiver that
// reaches them.
func (c *Contacts) Find(center string, has func(*Channels) bool) (receiver string, r Recipient, ok bool) {
	for i := range c.Centers {
		k := &c.Centers[i]
		if center != "" && center != k.Code {
			continue
		}
		receivers := []string{LeadershipOf(k.Code)}
		for _, o := range k.OPDs {
			receivers = append(receivers, ReceiverOf(k.Code, o.ID))
		}
		for _, receiver := range receivers {
			if r, _ := c.Recipient(receiver); has(&r.Channels) {
				return receiver, r, true
			}
		}
	}
	return "", r, false
}

func hoursOf(center string) string { return dashed("jam-kerja-" + center) }

func dashed(s string) string { return strings.ReplaceAll(s, ".", "-") }

// Configuration writes the configuration file. Notes are what the operator should know, one line each: who has no
// contact, so that Diskominfo stands in. The error is yamlfile.Problems. Safe for concurrent use.
func Configuration(in Input) (text []byte, notes []string, err error) {
	file := *in.Contacts.file // its lines, for what the directory shows to be wrong
	b := &builder{in: in, problems: &file, named: map[string]string{}}
	if b.in.Templates == "" {
		b.in.Templates = "templates/*.tmpl"
	}
	f := b.file()
	if err := b.problems.Err(); err != nil {
		return nil, nil, err
	}
	body, err := yaml.MarshalWithOptions(f, yaml.Indent(2), yaml.IndentSequence(true))
	if err != nil {
		return nil, nil, fmt.Errorf("write configuration: %w", err)
	}
	head := "# Code generated by monev112 alertmanager-config; DO NOT EDIT. Change the directory, the calendar or the " +
		"contacts, and\n" +
		"# generate it again: also when a calendar was extended. Who is told what, and when: docs/alerts.md.\n"
	return append([]byte(head), body...), b.notes, nil
}

type builder struct {
	in        Input
	problems  *yamlfile.File
	notes     []string
	receivers []receiver
	named     map[string]string // receiver to what it is for
	intervals []timeInterval
}

func (b *builder) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}

func (b *builder) file() *file {
	c := b.in.Contacts
	f := &file{Templates: []string{b.in.Templates}}
	f.Global = global{ResolveTimeout: "15m", TelegramAPIURL: c.Telegram.APIURL}
	if c.SMTP.Smarthost != "" {
		tls := c.SMTP.RequireTLS == nil || *c.SMTP.RequireTLS
		f.Global.SMTPSmarthost, f.Global.SMTPFrom, f.Global.SMTPRequireTLS = c.SMTP.Smarthost, c.SMTP.From, &tls
		f.Global.SMTPAuthUsername, f.Global.SMTPAuthPasswordFile = c.SMTP.Username, c.SMTP.PasswordFile
	}
	b.receiver(Operations, "Diskominfo", aggregate, c.Operations)
	b.receiver(OperationsTickets, "Diskominfo, tickets", tickets, c.Operations)
	b.receivers = append(b.receivers, receiver{Name: Silent})

	f.Route = route{
		Receiver: Operations, GroupBy: []string{"alertname", "center"},
		GroupWait: "30s", GroupInterval: "5m", RepeatInterval: "4h",
	}
	watchdog := route{
		Receiver: Silent, Matchers: []string{equal("alertname", alertWatchdog)}, GroupWait: "0s", GroupInterval: "1m",
		RepeatInterval: "50s",
	}
	if c.Watchdog != nil {
		b.receiver(Watchdog, "the service outside of this host", aggregate, *c.Watchdog)
		watchdog.Receiver = Watchdog
	} else {
		b.note("watchdog has no contact: nobody will notice when Prometheus or Alertmanager itself is gone")
	}
	ticket := route{
		Receiver: OperationsTickets, Matchers: []string{equal("kind", "ticket")}, GroupBy: []string{"center", "opd", "level"},
		GroupWait: "1m", GroupInterval: "15m", RepeatInterval: "4h",
	}
	digest := route{
		Receiver: OperationsTickets, Matchers: []string{equal("kind", "digest")}, GroupBy: []string{"center", "opd"},
		GroupWait: "10s", GroupInterval: "1h", RepeatInterval: "24h",
	}
	reports := route{
		Receiver: OperationsTickets, Matchers: []string{equal("kind", "report")}, GroupBy: []string{"center", "month"},
		GroupWait: "10s", GroupInterval: "1h", RepeatInterval: "168h",
	}
	floor := route{
		Receiver: Operations, Matchers: []string{equal("audience", "supervisor")}, GroupWait: "5s", GroupInterval: "1m",
		RepeatInterval: "1h",
	}

	known := b.contactsByCenter()
	for _, center := range b.in.Directory.Centers() {
		if center.Historical {
			continue
		}
		contact, ok := known[center.Code]
		if !ok {
			b.note("centre %s has no contacts: everything of it goes to Diskominfo", center.Code)
			continue
		}
		b.center(center, contact, &ticket, &digest, &reports, &floor)
	}
	f.Route.Routes = []route{watchdog, ticket, digest, reports, floor, b.operations()}
	f.Inhibit = inhibitions()
	f.Intervals, f.Receivers = b.intervals, b.receivers
	return f
}

// contactsByCenter finds the contacts of each centre, and refuses those that the directory does not know or never
// pages.
func (b *builder) contactsByCenter() map[string]*CenterContact {
	out := map[string]*CenterContact{}
	dir := b.in.Directory
	for i := range b.in.Contacts.Centers {
		k := &b.in.Contacts.Centers[i]
		at := fmt.Sprintf("centers[%d]", i)
		center, ok := dir.Center(k.Code)
		switch {
		case !ok:
			b.problems.Wrong(at+".code", fmt.Sprintf("the directory has no centre %q", k.Code),
				"write the code of a listed centre, in quotes")
			continue
		case center.Historical:
			b.problems.Wrong(at+".code", "centre "+k.Code+" holds records of the past only", "remove it: it has no alerts")
			continue
		case out[k.Code] != nil:
			b.problems.Wrong(at+".code", "centre "+k.Code+" is listed twice", "keep one of the two")
			continue
		}
		out[k.Code] = k
		seen := map[string]bool{}
		for j, o := range k.OPDs {
			field := fmt.Sprintf("%s.opds[%d].id", at, j)
			opd, ok := dir.OPD(k.Code, o.ID)
			switch {
			case !ok:
				b.problems.Wrong(field, fmt.Sprintf("the directory has no OPD %q in centre %s", o.ID, k.Code),
					"write the id of a listed OPD")
			case opd.Scope != directory.Own:
				b.problems.Wrong(field, opd.Name+" is outside of the regency's power and is never paged", "remove it")
			case seen[o.ID]:
				b.problems.Wrong(field, o.ID+" is listed twice", "put its channels into one entry")
			}
			seen[o.ID] = true
		}
	}
	return out
}

// center adds the routes of one centre to those of tickets, digests, reports and the call floor.
func (b *builder) center(center directory.Center, contact *CenterContact, ticket, digest, reports, floor *route) {
	var hours []string
	if b.in.Calendar != nil {
		if c := b.in.Calendar(center.Code); c != nil {
			hours = []string{hoursOf(center.Code)}
			b.intervals = append(b.intervals, openHours(hours[0], c, b.in.From))
		}
	}
	if hours == nil {
		b.note("centre %s has no calendar: nothing is held back outside of working hours", center.Code)
	}
	here := equal("center", center.Code)

	supervisors := b.orOperations(SupervisorsOf(center.Code), "supervisors of "+center.Code, aggregate,
		contact.Supervisors, Operations)
	floor.Routes = append(floor.Routes, route{Receiver: supervisors, Matchers: []string{here}, Routes: []route{{
		Receiver: supervisors, Matchers: []string{equal("alertname", alertCallerWaiting)}, GroupWait: "0s",
		GroupInterval: "30s", RepeatInterval: "5m",
	}}})

	leadership := b.orOperations(LeadershipOf(center.Code), "leadership of "+center.Code, tickets, contact.Leadership,
		OperationsTickets)
	reports.Routes = append(reports.Routes, route{Receiver: leadership, Matchers: []string{here}})
	of := route{Receiver: OperationsTickets, Matchers: []string{here}}
	digests := route{Receiver: OperationsTickets, Matchers: []string{here}}
	if v := b.verticals(center.Code); v != "" {
		never := route{Receiver: Silent, Matchers: []string{match("opd", v)}}
		of.Routes, digests.Routes = append(of.Routes, never), append(digests.Routes, never)
	}
	up := b.held(route{
		Receiver: leadership, Matchers: []string{match("level", escalatedLevels)}, GroupBy: []string{"center", "level"},
	}, hours)
	breach := b.held(route{
		Receiver: OperationsTickets, Matchers: []string{equal("level", "overdue")}, GroupBy: []string{"center", "level"},
		Continue: true,
	}, hours)
	of.Routes = append(of.Routes, up)
	var reached []string // OPDs with a contact; of the others Diskominfo hears anyway
	for _, k := range contact.OPDs {
		reached = append(reached, strings.ReplaceAll(k.ID, ".", `\.`))
	}
	if len(reached) > 0 {
		breach.Matchers = append(breach.Matchers, match("opd", strings.Join(reached, "|")))
		of.Routes = append(of.Routes, breach)
	}
	for _, o := range b.in.Directory.OPDs(center.Code) {
		if o.Scope != directory.Own {
			continue
		}
		channels := Channels{}
		if i := slices.IndexFunc(contact.OPDs, func(k OPDContact) bool { return k.ID == o.ID }); i >= 0 {
			channels = contact.OPDs[i].Channels
		}
		name := b.orOperations(ReceiverOf(center.Code, o.ID), o.Name+" ("+o.ID+")", tickets, channels, OperationsTickets)
		of.Routes = append(of.Routes, b.held(route{Receiver: name, Matchers: []string{equal("opd", o.ID)}}, hours))
		digests.Routes = append(digests.Routes, route{Receiver: name, Matchers: []string{equal("opd", o.ID)}})
	}
	// What lies at the centre is Diskominfo's, in the same hours.
	of.Routes = append(of.Routes,
		b.held(route{Receiver: OperationsTickets, Matchers: []string{equal("opd", atCenter)}}, hours))
	ticket.Routes, digest.Routes = append(ticket.Routes, of), append(digest.Routes, digests)
}

// held gives a route open hours, and a child that lets emergencies through at any hour, by every way at once. Intervals
// are not inherited.
func (b *builder) held(r route, hours []string) route {
	r.Active = hours
	urgent := r.Receiver
	if _, made := b.named[UrgentOf(r.Receiver)]; made {
		urgent = UrgentOf(r.Receiver)
	}
	if hours != nil || urgent != r.Receiver {
		r.Routes = []route{{Receiver: urgent, Matchers: []string{equal("priority", "darurat")}}}
	}
	return r
}

// operations are the alerts for Diskominfo: at once, grouped, or in the working hours of the default centre, by tier.
func (b *builder) operations() route {
	r := route{
		Receiver: Operations, Matchers: []string{equal("audience", "diskominfo")},
		Routes: []route{{
			Receiver: Operations, Matchers: []string{equal("tier", "1")}, GroupWait: "10s", GroupInterval: "1m",
			RepeatInterval: "1h",
		}},
	}
	calm := route{
		Receiver: Operations, Matchers: []string{equal("tier", "3")}, GroupInterval: "1h", RepeatInterval: "168h",
	}
	if name := hoursOf(b.in.Directory.DefaultCenter()); slices.ContainsFunc(b.intervals, func(t timeInterval) bool {
		return t.Name == name
	}) {
		calm.Active = []string{name}
	}
	r.Routes = append(r.Routes, calm)
	return r
}

// verticals is a pattern of the agencies that are never paged.
func (b *builder) verticals(center string) string {
	var ids []string
	for _, o := range b.in.Directory.OPDs(center) {
		if o.Scope != directory.Own {
			ids = append(ids, strings.ReplaceAll(o.ID, ".", `\.`))
		}
	}
	return strings.Join(ids, "|")
}

// orOperations makes a receiver; without channels Diskominfo stands in, and the operator is told.
func (b *builder) orOperations(name, of string, k kind, c Channels, instead string) string {
	if c.empty() {
		b.note("%s: no contact, Diskominfo stands in", of)
		return instead
	}
	all := b.in.Contacts
	switch {
	case len(c.WhatsApp) > 0:
		withHand := append([]Webhook{*all.WhatsApp}, c.Webhook...)
		b.receiver(name, of, k, Channels{Webhook: withHand})
		c.Webhook = withHand // beside the other ways: only the service speaks to WhatsApp
		b.receiver(UrgentOf(name), of+", emergencies", k, c)
	case len(c.Telegram) > 0 && all.Telegram.Deliver != nil && k == tickets:
		b.receiver(name, of, k, Channels{Webhook: append([]Webhook{*all.Telegram.Deliver}, c.Webhook...)})
		b.receiver(UrgentOf(name), of+", emergencies", k, c)
	default:
		b.receiver(name, of, k, c)
	}
	return name
}

func (b *builder) receiver(name, of string, k kind, c Channels) {
	if other, taken := b.named[name]; taken {
		b.problems.Wrong("centers", fmt.Sprintf("%s and %s would share the receiver %s", other, of, name),
			"give them ids that differ in more than dots and dashes")
		return
	}
	b.named[name] = of
	all := b.in.Contacts
	r := receiver{Name: name}
	for _, t := range c.Telegram {
		r.Telegram = append(r.Telegram, telegramConfig{
			SendResolved: k.sendResolved, BotTokenFile: all.Telegram.BotTokenFile, ChatID: t.ChatID, ChatIDFile: t.ChatIDFile,
			ThreadID: t.ThreadID,
			Message:  `{{ template "monev112.` + k.define + `.telegram" . }}`, ParseMode: "HTML",
		})
	}
	for _, e := range c.Email {
		r.Email = append(r.Email, emailConfig{
			SendResolved: k.sendResolved, To: e, HTML: `{{ template "monev112.` + k.define + `.email" . }}`,
			Headers: map[string]string{"Subject": `{{ template "monev112.` + k.define + `.subject" . }}`},
		})
	}
	for _, w := range c.Webhook {
		r.Webhook = append(r.Webhook, webhook(w, k.sendResolved))
	}
	if all.Log != nil && name != Watchdog {
		r.Webhook = append(r.Webhook, webhook(*all.Log, k.sendResolved))
	}
	b.receivers = append(b.receivers, r)
}

func webhook(w Webhook, resolved bool) webhookConfig {
	out := webhookConfig{SendResolved: resolved, URL: w.URL, URLFile: w.URLFile, Timeout: "10s"}
	if w.KeyFile != "" {
		out.HTTP = &httpConfig{authorization{"Bearer", w.KeyFile}}
	}
	return out
}

func equal(label, value string) string   { return fmt.Sprintf("%s=%q", label, value) }
func match(label, pattern string) string { return fmt.Sprintf("%s=~%q", label, pattern) }

// inhibitions: the higher level of a ticket silences the lower ones; a pusher that is gone silences its tickets.
func inhibitions() []inhibit {
	ticket := equal("kind", "ticket")
	same := []string{"center", "ticket"}
	return []inhibit{
		{Source: []string{match("alertname", strings.Join(pusherGone, "|"))},
			Target: []string{match("kind", "ticket|digest")}},
		{Source: []string{ticket, equal("level", "escalated2")},
			Target: []string{ticket, match("level", "escalated|overdue|risk")}, Equal: same},
		{Source: []string{ticket, equal("level", "escalated")}, Target: []string{ticket, match("level", "overdue|risk")},
			Equal: same},
		{Source: []string{ticket, equal("level", "overdue")}, Target: []string{ticket, equal("level", "risk")}, Equal: same},
	}
}
