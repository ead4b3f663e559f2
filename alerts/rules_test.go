package alerts

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/monev112/monev112/collector/e2e/servers"
	"github.com/monev112/monev112/collector/observability/metrics"
)

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no file (%v)", pattern, err)
	}
	return names
}

type rule struct {
	Record      string            `yaml:"record"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Keep        string            `yaml:"keep_firing_for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
	file        string
}

func readRules(t *testing.T) []rule {
	t.Helper()
	var out []rule
	for _, name := range glob(t, "rules/*.yaml") {
		var f struct {
			Groups []struct {
				Name     string `yaml:"name"`
				Interval string `yaml:"interval"`
				Rules    []rule `yaml:"rules"`
			} `yaml:"groups"`
		}
		readYAML(t, name, &f)
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				r.file = name
				out = append(out, r)
			}
		}
	}
	return out
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(text, into, yaml.Strict()); err != nil {
		t.Fatalf("%s: %s", name, yaml.FormatError(err, false, true))
	}
}

func TestPromtoolChecksTheRules(t *testing.T) {
	promtool := servers.Tool(t, "promtool")
	args := append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, glob(t, "rules/*.yaml")...)
	if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPromtoolRunsTheRuleTests(t *testing.T) {
	if testing.Short() {
		t.Skip("days of rule evaluation")
	}
	promtool := servers.Tool(t, "promtool")
	for _, name := range glob(t, "tests/*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			if out, err := exec.Command(promtool, "test", "rules", name).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestPromtoolChecksThePrometheusConfiguration(t *testing.T) {
	promtool := servers.Tool(t, "promtool")
	if out, err := exec.Command(promtool, "check", "config",
		"../deploy/prometheus/prometheus.yml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestEveryAlertSaysWhatHappenedAndToWhom(t *testing.T) {
	runbook, err := os.ReadFile("runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, s := range strings.Split(string(runbook), "\n## ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		sections[strings.TrimSpace(name)] = body
	}
	seen := map[string]bool{}
	for _, r := range readRules(t) {
		if r.Alert == "" {
			continue
		}
		if seen[r.Alert] {
			t.Errorf("%s is defined twice", r.Alert)
		}
		seen[r.Alert] = true
		if got, want := slices.Sorted(maps.Keys(r.Labels)),
			[]string{"audience", "severity", "tier"}; !slices.Equal(got, want) {
			t.Errorf("%s: labels %v, want %v", r.Alert, got, want)
		}
		for label, allowed := range map[string][]string{
			"severity": {"critical", "warning", "info", "none"}, "audience": {"supervisor", "diskominfo", "watchdog"},
			"tier": {"1", "2", "3"},
		} {
			if !slices.Contains(allowed, r.Labels[label]) {
				t.Errorf("%s: %s is %q, not one of %v", r.Alert, label, r.Labels[label], allowed)
			}
		}
		if strings.Contains(r.Annotations["summary"], "{{") || r.Annotations["summary"] == "" {
			t.Errorf("%s: the summary is not a constant sentence: %q", r.Alert, r.Annotations["summary"])
		}
		if d := r.Annotations["description"]; r.Alert != "Monev112Watchdog" &&
			!regexp.MustCompile(`Mohon|Tidak perlu`).MatchString(d) {
			t.Errorf("%s: the description does not say what to do: %q", r.Alert, d)
		}
		if !strings.HasSuffix(r.Annotations["runbook_url"], "/alerts/runbook.md#"+strings.ToLower(r.Alert)) {
			t.Errorf("%s: runbook_url %q leads elsewhere", r.Alert, r.Annotations["runbook_url"])
		}
		section, ok := sections[r.Alert]
		if !ok {
			t.Errorf("%s has no section in runbook.md", r.Alert)
		}
		for _, part := range []string{"**Meaning.**", "**Likely causes.**", "**What to do.**", "**How to verify.**"} {
			if ok && !strings.Contains(section, part) {
				t.Errorf("runbook, %s: no %s", r.Alert, part)
			}
		}
		delete(sections, r.Alert)
	}
	for name := range sections {
		t.Errorf("runbook.md has a section %q that no alert leads to", name)
	}
}

func TestEveryAlertIsSeenToFireToStaySilentAndToResolve(t *testing.T) {
	type verdict struct{ fires, silent, resolves bool }
	got := map[string]*verdict{}
	for _, r := range readRules(t) {
		if r.Alert != "" {
			got[r.Alert] = &verdict{}
		}
	}
	for _, name := range glob(t, "tests/*.yaml") {
		var f struct {
			RuleFiles []string `yaml:"rule_files"`
			Interval  string   `yaml:"evaluation_interval"`
			Tests     []struct {
				Name     string `yaml:"name"`
				Interval string `yaml:"interval"`
				Series   []any  `yaml:"input_series"`
				Checks   []struct {
					At    string `yaml:"eval_time"`
					Alert string `yaml:"alertname"`
					Want  []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			} `yaml:"tests"`
		}
		readYAML(t, name, &f)
		for _, g := range f.Tests {
			fired, empty := map[string]bool{}, map[string]bool{}
			for _, c := range g.Checks {
				v := got[c.Alert]
				if v == nil {
					t.Errorf("%s, %s: no alert is called %s", name, g.Name, c.Alert)
					continue
				}
				if len(c.Want) > 0 {
					fired[c.Alert], v.fires = true, true
				} else {
					v.resolves = v.resolves || fired[c.Alert]
					empty[c.Alert] = true
				}
			}
			for a := range empty {
				got[a].silent = got[a].silent || !fired[a]
			}
		}
	}
	for _, a := range slices.Sorted(maps.Keys(got)) {
		always := a == "Monev112Watchdog" // never silent, never resolved: that is its purpose
		if v := got[a]; !v.fires || !always && (!v.silent || !v.resolves) {
			t.Errorf("%s: fires %v, a case that stays silent %v, resolves %v", a, v.fires, v.silent, v.resolves)
		}
	}
}

// Metrics that are not ours, with the labels that rules may use.
var foreign = map[string][]string{
	"up": {"job"}, "alertmanager_notifications_failed_total": {"integration"},
}

var (
	quoted   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	selector = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_:]*)\s*\{([^}]*)\}`)
	named    = regexp.MustCompile(`[a-zA-Z_][a-zA-Z0-9_:]*`)
	grouping = regexp.MustCompile(`\b(by|on|ignoring|without|group_left)\s*\(([^)]*)\)`)
	inquery  = regexp.MustCompile(`(?:query "|printf ")((?:[^"\\]|\\.)*)"`)
	inlabels = regexp.MustCompile(`\$labels\.([a-z_]+)`)
)

func TestEveryMetricAndLabelExists(t *testing.T) {
	labels := map[string][]string{}
	for _, d := range metrics.Definitions() {
		labels[d.Name] = d.Labels
	}
	maps.Copy(labels, foreign)
	rules := readRules(t)
	for _, r := range rules {
		if r.Record == "" {
			continue
		}
		if !strings.Contains(r.Record, ":") {
			t.Errorf("%s: a recorded name is level:metric:operation", r.Record)
			continue
		}
		level, _, _ := strings.Cut(r.Record, ":") // says the labels that are left
		labels[r.Record] = strings.Split(level, "_")
	}
	for _, r := range rules {
		name := r.Record + r.Alert
		exprs := []string{r.Expr}
		for _, m := range inquery.FindAllStringSubmatch(r.Annotations["description"], -1) {
			if strings.Contains(m[1], "monev112_") || strings.Contains(m[1], ":") {
				exprs = append(exprs, strings.ReplaceAll(m[1], "'", `"`))
			}
		}
		for _, e := range exprs {
			for _, problem := range unknownIn(e, labels) {
				t.Errorf("%s: %s", name, problem)
			}
		}
		if r.Alert != "" {
			for _, m := range inlabels.FindAllStringSubmatch(r.Annotations["description"], -1) {
				if !strings.Contains(r.Expr, m[1]) { // a label that an expression keeps is named in its by, or in a recorded name
					t.Errorf("%s: $labels.%s is not among what the expression keeps", name, m[1])
				}
			}
		}
	}
}

// unknownIn lists the metrics and labels of an expression that do not exist.
func unknownIn(expr string, labels map[string][]string) (problems []string) {
	expr = quoted.ReplaceAllString(expr, `""`)
	var used []string
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		for _, matcher := range strings.Split(m[2], ",") {
			label := named.FindString(matcher)
			if have, ok := labels[m[1]]; ok && label != "" && !slices.Contains(have, label) {
				problems = append(problems, fmt.Sprintf("%s has no label %s", m[1], label))
			}
		}
	}
	bare := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(expr, "")
	groups := grouping.FindAllStringSubmatch(bare, -1)
	bare = grouping.ReplaceAllString(bare, " ")
	bare = regexp.MustCompile(`\[[^\]]*\]|offset\s+\w+`).ReplaceAllString(bare, "")
	for _, w := range named.FindAllString(bare, -1) {
		have, ok := labels[w]
		switch {
		case ok:
			used = append(used, have...)
		case strings.Contains(w, ":") || strings.HasPrefix(w, metrics.Prefix):
			problems = append(problems, "no metric is called "+w)
		}
	}
	for _, g := range groups {
		for _, label := range strings.Split(g[2], ",") {
			if label = strings.TrimSpace(label); label != "" && !slices.Contains(used, label) {
				problems = append(problems, fmt.Sprintf("%s (%s): no metric here has that label", g[1], label))
			}
		}
	}
	return problems
}

// The checks above must be able to fail.
func TestTheCheckOfMetricsFindsMistakes(t *testing.T) {
	labels := map[string][]string{"monev112_agents": {"center", "state"}, "center:x:max": {"center"}}
	for expr, want := range map[string]string{
		`max by (center) (monev112_agents{state="busy"})`: "",
		`max by (opd) (monev112_agents)`:                  "no metric here has that label",
		`monev112_agents{stat="busy"}`:                    "has no label stat",
		`monev112_agent > 0`:                              "no metric is called monev112_agent",
		`center:y:max > 0`:                                "no metric is called center:y:max",
	} {
		got := strings.Join(unknownIn(expr, labels), "; ")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}
