package routing

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/e2e/servers"
	"github.com/monev112/monev112/collector/internal/yamlfile"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/deploy"
)

const (
	example  = "../../../deploy/alertmanager/contacts.example.yaml"
	golden   = "../../../alerts/alertmanager.yml"
	sidoarjo = "35.15"
)

var november = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func book(t *testing.T) (*directory.Directory, *sla.Book) {
	t.Helper()
	const name = "defaults/calendars/id-sidoarjo.yaml"
	text, err := deploy.Defaults.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := sla.Load([]sla.File{{Name: name, Data: text}}, sla.Config{Default: sla.Use{Calendar: "id-sidoarjo"}})
	if err != nil {
		t.Fatal(err)
	}
	return directory.MustLoad("directory.yaml", deploy.Directory), b
}

func generate(t *testing.T) ([]byte, []string) {
	t.Helper()
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	contacts, err := LoadContacts("contacts.example.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	dir, b := book(t)
	out, notes, err := Configuration(Input{Directory: dir, Calendar: b.Calendar, Contacts: contacts, From: november})
	if err != nil {
		t.Fatal(err)
	}
	return out, notes
}

func TestTheCommittedExampleIsWhatIsGenerated(t *testing.T) {
	got, notes := generate(t)
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("alerts/alertmanager.yml differs; write it anew: monev112 alertmanager-config --contacts " +
			"deploy/alertmanager/contacts.example.yaml --from 2026-11-01 > alerts/alertmanager.yml")
	}
	if !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "(rsud): no contact") }) {
		t.Errorf("nobody is told that rsud has no contact: %v", notes)
	}
	if strings.Contains(string(got), "bot_token:") || strings.Contains(string(got), "auth_password:") ||
		strings.Contains(string(got), "credentials:") {
		t.Error("a secret stands in the configuration")
	}
}

// active judges an instant as Alertmanager does.
func (t timeInterval) active(local time.Time) bool {
	for _, i := range t.Intervals {
		if i.Location != local.Location().String() {
			return false
		}
		in := func(ranges []string, v int) bool {
			return len(ranges) == 0 || slices.ContainsFunc(ranges, func(r string) bool {
				a, b, ranged := strings.Cut(r, ":")
				if !ranged {
					b = a
				}
				lo, _ := strconv.Atoi(a)
				hi, _ := strconv.Atoi(b)
				return lo <= v && v <= hi
			})
		}
		clock := local.Format("15:04")
		if in(i.Years, local.Year()) && in(i.Months, int(local.Month())) && in(i.Days, local.Day()) &&
			(len(i.Weekdays) == 0 || slices.Contains(i.Weekdays, strings.ToLower(local.Weekday().String()))) &&
			slices.ContainsFunc(i.Times, func(r clockRange) bool { return r.Start <= clock && clock < r.End }) {
			return true
		}
	}
	return false
}

func TestHoursAreThoseOfTheCalendar(t *testing.T) {
	_, b := book(t)
	c := b.Calendar(sidoarjo)
	// with Ramadan, holidays and joint leave, and into the year not decreed
	from := time.Date(2026, 2, 1, 0, 0, 0, 0, c.Zone())
	hours := openHours("x", c, from)
	open := 0
	for at := from; at.Before(from.AddDate(1, 2, 0)); at = at.Add(15 * time.Minute) {
		want := c.Open(at)
		if got := hours.active(at); got != want {
			t.Fatalf("%s: %v, the calendar says %v", at.Format("Mon 2006-01-02 15:04"), got, want)
		}
		if want {
			open++
		}
	}
	if open == 0 {
		t.Error("never open: nothing was compared")
	}
	for _, day := range []string{"2026-12-24", "2026-12-25"} {
		at, _ := time.ParseInLocation("2006-01-02 15:04", day+" 10:00", c.Zone())
		if hours.active(at) {
			t.Errorf("%s is a day off", day)
		}
	}
}

func TestMistakesInContactsAreNamedWithTheirPlace(t *testing.T) {
	dir, b := book(t)
	const head = "version: 1\ntelegram: {bot_token_file: /t}\noperations:\n  telegram: [{chat_id: -1}]\n"
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":    {head + "oprations: {}\n", "contacts.yaml:5"},
		"no operations":  {"version: 1\n", "Diskominfo has no channel"},
		"no bot":         {"version: 1\noperations:\n  telegram: [{chat_id: -1}]\n", "telegram.bot_token_file"},
		"no mail server": {head + "watchdog: {email: [a@b.id]}\n", "smtp.smarthost"},
		"unknown OPD": {
			head + "centers:\n  - code: \"35.15\"\n    opds:\n      - id: dishubb\n        telegram: [{chat_id: -2}]\n",
			"contacts.yaml:8: centers[0].opds[0].id",
		},
		"vertical OPD": {
			head + "centers:\n  - code: \"35.15\"\n    opds:\n      - id: pln\n        telegram: [{chat_id: -2}]\n",
			"never paged",
		},
		"unknown centre": {head + "centers:\n  - code: \"99.99\"\n", "no centre \"99.99\""},
		"twice":          {head + "centers:\n  - code: \"35.15\"\n  - code: \"35.15\"\n", "listed twice"},
		"to collector": {
			head + "  webhook: [{url: \"http://127.0.0.1:8112/x\"}]\nlog: {url: " +
				"\"http://127.0.0.1:8112/alertmanager/v1/log\"}\n", "must not need the collector",
		},
		"to the outbox": {
			head + "  webhook: [{url: \"http://127.0.0.1:8112/x\"}]\n" +
				"whatsapp: {url: \"http://127.0.0.1:8112/alertmanager/v1/whatsapp\"}\n", "must not need the collector",
		},
		"the watchdog to the collector": {
			head + "watchdog: {webhook: [{url: \"http://127.0.0.1:8112/x\"}]}\n" +
				"log: {url: \"http://127.0.0.1:8112/alertmanager/v1/log\"}\n", "watchdog.webhook[0]: it leads to the collector",
		},
		"the call floor to the outbox": {
			strings.Replace(head, "{bot", "{deliver: {url: \"http://127.0.0.1:8112/alertmanager/v1/telegram\"}, bot", 1) +
				"centers:\n  - code: \"35.15\"\n    supervisors:\n      webhook: [{url_file: /u}, {url: \"http://127.0.0.1:8112/x\"}]\n",
			"centers[0].supervisors.webhook[1]: it leads to the collector",
		},
		"one name for two chats": {
			head + "centers:\n  - code: \"35.15\"\n    leadership:\n      telegram: [{name: a, chat_id: -2}, {name: a, " +
				"chat_id: -3}]\n",
			"contacts.yaml:8: centers[0].leadership.telegram[1].name",
		},
		"a name that another has by its place": {
			head + "centers:\n  - code: \"35.15\"\n    leadership:\n      telegram: [{chat_id: -2}, {name: telegram 1, " +
				"chat_id: -3}]\n",
			"another one here has it",
		},
		"password in url": {head + "log: {url: \"http://u:p@host/x\"}\n", "holds a password"},
	} {
		t.Run(name, func(t *testing.T) {
			contacts, err := LoadContacts("contacts.yaml", []byte(c.text))
			if err == nil {
				_, _, err = Configuration(Input{Directory: dir, Calendar: b.Calendar, Contacts: contacts, From: november})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want it to say %q", err, c.want)
			}
			var p yamlfile.Problems
			if err != nil && !errors.As(err, &p) {
				t.Errorf("%T is no problem with a place", err)
			}
		})
	}
}

func TestCallsForDiskominfoDoNotNeedTheCollector(t *testing.T) {
	out, _ := generate(t)
	_, rest, _ := strings.Cut(string(out), "- name: "+Operations+"\n")
	receiver, _, _ := strings.Cut(rest, "\n  - name: ")
	if !strings.Contains(receiver, "telegram_configs") && !strings.Contains(receiver, "email_configs") {
		t.Errorf("no channel of its own:\n%s", receiver)
	}
}

// TestTheServiceSendsByTelegramWhereTheOfficeSaysSo: tickets, digests and reports; never a condition, and no emergency.
func TestTheServiceSendsByTelegramWhereTheOfficeSaysSo(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	const own = "http://127.0.0.1:8112/alertmanager/v1/telegram"
	contacts, err := LoadContacts("contacts.yaml", []byte(strings.Replace(string(text), "telegram:\n",
		"telegram:\n  deliver: {url: "+own+", key_file: /k}\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	dir, b := book(t)
	out, _, err := Configuration(Input{Directory: dir, Calendar: b.Calendar, Contacts: contacts, From: november})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ deliver, telegram, email bool }{
		Operations:                               {false, true, true},
		OperationsTickets:                        {false, true, true},
		"koordinator-35-15":                      {false, true, false}, // conditions of the call floor
		LeadershipOf(sidoarjo):                   {true, false, false},
		ReceiverOf(sidoarjo, "dishub"):           {true, false, false}, // e-mail is the next way
		UrgentOf(ReceiverOf(sidoarjo, "dishub")): {false, true, true},
		ReceiverOf(sidoarjo, "dinsos"):           {false, false, true}, // has no Telegram
	} {
		_, rest, found := strings.Cut(string(out), "- name: "+name+"\n")
		block, _, _ := strings.Cut(rest, "\n  - name: ")
		if got := strings.Contains(block, "url: "+own); !found || got != want.deliver ||
			strings.Contains(block, "telegram_configs") != want.telegram ||
			strings.Contains(block, "email_configs") != want.email {
			t.Errorf("%s: want %+v, is\n%s", name, want, block)
		}
	}
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(servers.Tool(t, "amtool"), "check-config", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for priority, want := range map[string]string{
		"darurat": UrgentOf(ReceiverOf(sidoarjo, "dishub")), "mendesak": ReceiverOf(sidoarjo, "dishub"),
	} {
		if out, err := exec.Command(servers.Tool(t, "amtool"), "config", "routes", "test", "--config.file="+file,
			"--verify.receivers="+want, "kind=ticket", "center="+sidoarjo, "opd=dishub", "level=risk", "ticket=T",
			"priority="+priority).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", priority, out)
		}
	}
}

func TestAmtoolChecksTheConfiguration(t *testing.T) {
	if out, err := exec.Command(servers.Tool(t, "amtool"), "check-config", golden).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestEveryRouteLeadsWhereTheDirectorySays(t *testing.T) {
	tool := servers.Tool(t, "amtool")
	leads := func(want string, labels ...string) {
		t.Helper()
		args := append([]string{"config", "routes", "test", "--config.file=" + golden, "--verify.receivers=" + want},
			labels...)
		if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
			t.Errorf("%v: want %s\n%s", labels, want, out)
		}
	}
	ticket := func(opd, level, priority string) []string {
		return []string{
			"kind=ticket", "center=" + sidoarjo, "opd=" + opd, "level=" + level, "ticket=T", "priority=" + priority,
		}
	}
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	contacts, err := LoadContacts(example, text)
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := book(t)
	for i, o := range dir.OPDs(sidoarjo) {
		priority := []string{"darurat", "non_darurat"}[i%2]
		has := slices.ContainsFunc(contacts.Centers[0].OPDs, func(c OPDContact) bool { return c.ID == o.ID })
		switch {
		case o.Scope != directory.Own:
			leads(Silent, ticket(o.ID, "overdue", priority)...)
			leads(Silent, ticket(o.ID, "escalated", priority)...)
		case has:
			leads(ReceiverOf(sidoarjo, o.ID), ticket(o.ID, "risk", priority)...)
			leads(OperationsTickets+","+ReceiverOf(sidoarjo, o.ID), ticket(o.ID, "overdue", priority)...)
			leads(LeadershipOf(sidoarjo), ticket(o.ID, "escalated", priority)...)
			leads(ReceiverOf(sidoarjo, o.ID), ticket(o.ID, "closed", priority)...)
			leads(ReceiverOf(sidoarjo, o.ID), "kind=digest", "center="+sidoarjo, "opd="+o.ID)
		default:
			leads(OperationsTickets, ticket(o.ID, "overdue", priority)...)
		}
	}
	leads(OperationsTickets, ticket(atCenter, "risk", "mendesak")...)
	leads(OperationsTickets, ticket(atCenter, "overdue", "darurat")...)
	leads(LeadershipOf(sidoarjo), ticket(atCenter, "escalated", "mendesak")...)
	leads(OperationsTickets, ticket("unknown", "overdue", "mendesak")...)
	leads(LeadershipOf(sidoarjo), ticket("dishub", "escalated2", "mendesak")...)
	leads(SupervisorsOf(sidoarjo), "alertname=Monev112CallerWaiting", "audience=supervisor", "center="+sidoarjo, "tier=1")
	leads(SupervisorsOf(sidoarjo), "alertname=Monev112CallsUnclassified", "audience=supervisor", "center="+sidoarjo,
		"tier=2")
	leads(Operations, "alertname=Monev112CollectorAbsent", "audience=diskominfo", "tier=1")
	leads(Operations, "alertname=Monev112CalendarEnding", "audience=diskominfo", "tier=3")
	leads(Operations, "alertname=Monev112TicketsOverdue", "audience=diskominfo", "tier=2", "center="+sidoarjo,
		"opd=dishub")
	// Who is told although the directory does not say whom: at once, whatever the hour.
	for _, center := range []string{sidoarjo, "unknown"} {
		leads(Operations, "alertname=Monev112UnknownAssigneeOverdue", "audience=diskominfo", "tier=1", "severity=critical",
			"center="+center, "opd=unknown")
	}
	leads(Operations, "alertname=Monev112NamesUnresolved", "audience=diskominfo", "tier=2", "severity=warning")
	leads(OperationsTickets, "kind=ticket", "center=99.99", "opd=dishub", "level=overdue", "ticket=T", "priority=darurat")
	leads(OperationsTickets, "kind=ticket", "center=99.99", "opd=none", "level=escalated", "ticket=T", "priority=darurat")
	leads(Watchdog, "alertname=Monev112Watchdog", "audience=watchdog", "tier=1")
	leads(Operations, "alertname=SomethingElse")
}
