package asterisk

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

var testKey = []byte("a key of tests, 32 bytes long...")

func testConfig() Config {
	return Config{
		QueueLog: "queue_log", Center: "35.15",
		Agents:    map[string]string{"Budi Santoso": "p07"},
		Positions: map[string]string{"SIP/101": "meja-1", "p07": "meja-7"},
	}
}

func newTestMapper() *Mapper { return NewMapper(testConfig(), NewNames(testConfig(), testKey)) }

// tell writes an event as a line of text: what a reader of a scenario wants to see.
func tell(d *event.RawEvent) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", strings.TrimPrefix(d.Time.UTC().Format("05.000"), "0"), d.Type, d.Subject)
	add := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, " %s=%s", key, value)
		}
	}
	add("queue", d.Queue)
	if d.Agent != d.Subject {
		add("agent", d.Agent)
	}
	add("position", d.Position)
	add("caller", d.Caller)
	add("reason", d.Reason)
	add("result", d.Result)
	if d.WaitMS != nil {
		add("wait", fmt.Sprint(*d.WaitMS))
	}
	if d.RingMS != nil {
		add("ring", fmt.Sprint(*d.RingMS))
	}
	if d.Revision != 0 {
		add("revision", fmt.Sprint(d.Revision))
	}
	add("replaces", d.Replaces)
	return b.String()
}

// base is a minute's beginning, so that the seconds of tell are those of the lines.
const base = 1774519200

// unescaped has the bytes that a scenario cannot show.
var unescaped = strings.NewReplacer(`\t`, "\t", `\|`, "|", `\xe9`, "\xe9", `\x00`, "\x00")

// lines puts base before the second that each line begins with.
func lines(text string) []string {
	var out []string
	for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
		rest := strings.TrimSpace(l)
		if at, after, ok := strings.Cut(rest, "|"); ok {
			whole, fraction, _ := strings.Cut(at, ".")
			if s, err := strconv.ParseInt(whole, 10, 64); err == nil {
				rest = fmt.Sprintf("%d%s|%s", base+s, strings.TrimSuffix("."+fraction, "."), after)
			}
		}
		out = append(out, rest)
	}
	return out
}

func TestWhatALogMeans(t *testing.T) {
	for _, c := range []struct{ name, log, want string }{
		{"a call", `
			10|1700000000.1|112|NONE|ENTERQUEUE||081234567890|1
			32|1700000000.1|112|SIP/101|CONNECT|22|1700000000.2|4
			55|1700000000.1|112|SIP/101|COMPLETECALLER|22|23|1`, `
			10.000 call.queued 1700000000.1 queue=112 caller=081234567890
			28.000 call.ringing 1700000000.1 queue=112 agent=SIP/101 position=meja-1
			32.000 call.answered 1700000000.1 queue=112 agent=SIP/101 position=meja-1 wait=22000 ring=4000
			32.000 agent.state SIP/101 position=meja-1 result=busy
			55.000 call.ended 1700000000.1 queue=112 agent=SIP/101
			55.000 agent.state SIP/101 position=meja-1 result=available`},
		{"given up", `
			10|a.1|112|NONE|ENTERQUEUE||anonymous|1
			19|a.1|112|NONE|ABANDON|1|1|9`, `
			10.000 call.queued a.1 queue=112
			19.000 call.abandoned a.1 queue=112 wait=9000`},
		{"telephones that ring in vain, are busy, or stop because another answered", `
			1|a.1|112|NONE|ENTERQUEUE|||1
			2|a.1|112|SIP/101|RINGNOANSWER|1000
			2|a.1|112|Budi Santoso|RINGNOANSWER|1000
			3|a.1|112|SIP/102|RINGNOANSWER|0
			9|a.1|112|SIP/103|RINGCANCELED|2500`, `
			1.000 call.queued a.1 queue=112
			2.000 call.ring_no_answer a.1 queue=112 agent=SIP/101 position=meja-1 ring=1000
			2.000 call.ring_no_answer a.1 queue=112 agent=p07 position=meja-7 ring=1000
			6.500 call.ringing a.1 queue=112 agent=SIP/103 position=SIP/103 ring=2500`},
		{"not served", `
			1|a.1|112|NONE|ENTERQUEUE|||1
			5|a.1|112|NONE|EXITWITHTIMEOUT|1|1|4
			6|a.2|112|NONE|ENTERQUEUE|||1
			7|a.2|112|NONE|EXITEMPTY|1|1|1
			8|a.3|112|NONE|ENTERQUEUE|||1
			9|a.3|112|NONE|EXITWITHKEY|5|1|1|1`, `
			1.000 call.queued a.1 queue=112
			5.000 call.unserved a.1 queue=112 reason=timeout
			6.000 call.queued a.2 queue=112
			7.000 call.unserved a.2 queue=112 reason=empty
			8.000 call.queued a.3 queue=112
			9.000 call.unserved a.3 queue=112 reason=key`},
		{"one call through two queues waited in both and between", `
			1|a.1|112|NONE|ENTERQUEUE|||1
			5|a.1|112|NONE|EXITWITHTIMEOUT|1|1|4
			7|a.1|cadangan|NONE|ENTERQUEUE|||1
			10|a.1|cadangan|SIP/101|CONNECT|3|a.2|1`, `
			1.000 call.queued a.1 queue=112
			5.000 call.unserved a.1 queue=112 reason=timeout
			7.000 call.queued a.1 queue=cadangan replaces=a.1.call.unserved.1774519205
			9.000 call.ringing a.1 queue=cadangan agent=SIP/101 position=meja-1
			10.000 call.answered a.1 queue=cadangan agent=SIP/101 position=meja-1 wait=9000 ring=1000
			10.000 agent.state SIP/101 position=meja-1 result=busy`},
		{"given up in the second queue", `
			1|a.1|112|NONE|ENTERQUEUE|||1
			5|a.1|112|NONE|EXITEMPTY|1|1|4
			5|a.1|cadangan|NONE|ENTERQUEUE|||1
			8|a.1|cadangan|NONE|ABANDON|1|1|3`, `
			1.000 call.queued a.1 queue=112
			5.000 call.unserved a.1 queue=112 reason=empty
			5.000 call.queued a.1 queue=cadangan replaces=a.1.call.unserved.1774519205
			8.000 call.abandoned a.1 queue=cadangan wait=7000`},
		{"handed on to another queue and answered again is one answer; who hangs up there has not given up", `
			1|a.1|112|NONE|ENTERQUEUE|||1
			2|a.1|112|SIP/101|CONNECT|1|a.2|1
			9|a.1|112|SIP/101|BLINDTRANSFER|600|antrean|1|7|1
			9|a.1|medis|NONE|ENTERQUEUE|||1
			12|a.1|medis|SIP/102|CONNECT|3|a.3|2
			20|a.1|medis|SIP/102|COMPLETEAGENT|3|8|1
			21|a.4|112|NONE|ENTERQUEUE|||1
			22|a.4|112|SIP/101|CONNECT|1|a.5|1
			25|a.4|112|SIP/101|TRANSFER|600|antrean|1|3|1
			25|a.4|medis|NONE|ENTERQUEUE|||1
			30|a.4|medis|NONE|ABANDON|1|1|5`, `
			1.000 call.queued a.1 queue=112
			1.000 call.ringing a.1 queue=112 agent=SIP/101 position=meja-1
			2.000 call.answered a.1 queue=112 agent=SIP/101 position=meja-1 wait=1000 ring=1000
			2.000 agent.state SIP/101 position=meja-1 result=busy
			9.000 call.ended a.1 queue=112 agent=SIP/101 reason=transfer
			9.000 agent.state SIP/101 position=meja-1 result=available
			10.000 call.ringing a.1 queue=medis agent=SIP/102 position=SIP/102
			12.000 agent.state SIP/102 position=SIP/102 result=busy
			20.000 call.ended a.1 queue=medis agent=SIP/102
			20.000 agent.state SIP/102 position=SIP/102 result=available
			21.000 call.queued a.4 queue=112
			21.000 call.ringing a.4 queue=112 agent=SIP/101 position=meja-1
			22.000 call.answered a.4 queue=112 agent=SIP/101 position=meja-1 wait=1000 ring=1000
			22.000 agent.state SIP/101 position=meja-1 result=busy
			25.000 call.ended a.4 queue=112 agent=SIP/101 reason=transfer
			25.000 agent.state SIP/101 position=meja-1 result=available
			30.000 call.ended a.4 queue=medis`},
		{"agents come, pause in one queue and in all, and go", `
			1|MANAGER|112|SIP/101|ADDMEMBER|
			2|MANAGER|medis|SIP/101|ADDMEMBER|PAUSED
			3|NONE|112|SIP/101|PAUSE|makan
			4|NONE|medis|SIP/101|UNPAUSE|
			5|NONE|NONE|SIP/101|PAUSEALL|
			6|NONE|NONE|SIP/101|UNPAUSEALL|
			7|MANAGER|112|SIP/101|REMOVEMEMBER|
			8|MANAGER|medis|SIP/101|REMOVEMEMBER|
			9|a.9|NONE|Agent/7|AGENTLOGIN|SIP/200
			10|a.9|NONE|Agent/7|AGENTLOGOFF|SIP/200|1
			11|NONE|NONE|Agent/8|AGENTCALLBACKLOGIN|200@agents
			12|NONE|NONE|Agent/8|AGENTCALLBACKLOGOFF|200@agents|1|`, `
			1.000 agent.state SIP/101 position=meja-1 result=available
			3.000 agent.state SIP/101 position=meja-1 result=paused
			4.000 agent.state SIP/101 position=meja-1 result=available
			5.000 agent.state SIP/101 position=meja-1 result=paused
			6.000 agent.state SIP/101 position=meja-1 result=available
			8.000 agent.state SIP/101 position=meja-1 result=offline
			9.000 agent.state Agent/7 position=Agent/7 result=available
			10.000 agent.state Agent/7 position=Agent/7 result=offline
			11.000 agent.state Agent/8 position=Agent/8 result=available
			12.000 agent.state Agent/8 position=Agent/8 result=offline`},
		{"an end without a line is told by the next call; of one second the last state counts", `
			1|a.1|112|NONE|ENTERQUEUE|||1
			2|a.1|112|SIP/101|CONNECT|1|a.2|
			9|a.3|112|NONE|ENTERQUEUE|||1
			11|a.3|112|SIP/101|CONNECT|2|a.4|
			15|a.3|112|SIP/101|COMPLETEAGENT|2|4|1
			15|NONE|112|SIP/101|PAUSE|`, `
			1.000 call.queued a.1 queue=112
			2.000 call.answered a.1 queue=112 agent=SIP/101 position=meja-1 wait=1000
			2.000 agent.state SIP/101 position=meja-1 result=busy
			9.000 call.queued a.3 queue=112
			11.000 call.answered a.3 queue=112 agent=SIP/101 position=meja-1 wait=2000
			15.000 call.ended a.3 queue=112 agent=SIP/101
			15.000 agent.state SIP/101 position=meja-1 result=available
			15.000 agent.state SIP/101 position=meja-1 result=paused revision=1`},
		{"the telephone system starts anew", `
			1|a.1|112|NONE|ENTERQUEUE|||1
			2|a.2|112|NONE|ENTERQUEUE|||2
			3|a.2|112|SIP/101|CONNECT|1|a.3|1
			9|NONE|NONE|NONE|QUEUESTART|
			9|NONE|NONE|NONE|CONFIGRELOAD|
			9|a.9|112|NONE|DID|112`, `
			1.000 call.queued a.1 queue=112
			2.000 call.queued a.2 queue=112
			2.000 call.ringing a.2 queue=112 agent=SIP/101 position=meja-1
			3.000 call.answered a.2 queue=112 agent=SIP/101 position=meja-1 wait=1000 ring=1000
			3.000 agent.state SIP/101 position=meja-1 result=busy
			9.000 call.unserved a.1 queue=112 reason=restart
			9.000 agent.state SIP/101 position=meja-1 result=available`},
		{"who waited for over an hour when it starts anew had left before; who was handed on had been served", `
			1|a.1|112|NONE|ENTERQUEUE|||1
			3600|a.2|112|NONE|ENTERQUEUE|||1
			3601|a.2|112|SIP/101|CONNECT|1|a.3|
			3602|a.2|112|SIP/101|BLINDTRANSFER|600|x|1|1|1
			3602|a.2|medis|NONE|ENTERQUEUE|||1
			3606|NONE|NONE|NONE|QUEUESTART|`, `
			1.000 call.queued a.1 queue=112
			0.000 call.queued a.2 queue=112
			1.000 call.answered a.2 queue=112 agent=SIP/101 position=meja-1 wait=1000
			1.000 agent.state SIP/101 position=meja-1 result=busy
			2.000 call.ended a.2 queue=112 agent=SIP/101 reason=transfer
			2.000 agent.state SIP/101 position=meja-1 result=available`},
		{"a blemish in a name costs the name at most", `
			1|a.1|112|NONE|ENTERQUEUE||081234500004|1
			2|a.1|112|Budi  Santoso |CONNECT|1||1
			3|a.1|112|Budi\tSantoso|COMPLETECALLER|1|1|1
			4|a.2|112|NONE|ENTERQUEUE||Budi \| 0812|1
			5|a.2|112|Jos\xe9 \| Luis|CONNECT|1||1
			6|a.2|112|Jos\xe9 \| Luis|COMPLETEAGENT|1|1|1|\x00
			7|a.3|satu\|dua|SIP/101|RINGNOANSWER|1000`, `
			1.000 call.queued a.1 queue=112 caller=081234500004
			1.000 call.ringing a.1 queue=112 agent=p07 position=meja-7
			2.000 call.answered a.1 queue=112 agent=p07 position=meja-7 wait=1000 ring=1000
			2.000 agent.state p07 position=meja-7 result=busy
			3.000 call.ended a.1 queue=112 agent=p07
			3.000 agent.state p07 position=meja-7 result=available
			4.000 call.queued a.2 queue=112
			4.000 call.ringing a.2 queue=112 agent=JOSE position=JOSE
			5.000 call.answered a.2 queue=112 agent=JOSE position=JOSE wait=1000 ring=1000
			5.000 agent.state JOSE position=JOSE result=busy
			6.000 call.ended a.2 queue=112 agent=JOSE
			6.000 agent.state JOSE position=JOSE result=available
			7.000 call.ring_no_answer a.3 agent=SIP/101 position=meja-1 ring=1000`},
		{"times have fractions", `
			1.25|a.1|112|NONE|ENTERQUEUE|||1
			2.5|a.1|112|NONE|EXITEMPTY|1|1|1
			3.75|a.1|medis|NONE|ENTERQUEUE|||1
			4.123456|a.1|medis|SIP/101|CONNECT|0.25||`, `
			1.250 call.queued a.1 queue=112
			2.500 call.unserved a.1 queue=112 reason=empty
			3.750 call.queued a.1 queue=medis replaces=a.1.call.unserved.1774519202
			4.123 call.answered a.1 queue=medis agent=SIP/101 position=meja-1 wait=2500
			4.123 agent.state SIP/101 position=meja-1 result=busy`},
		{"an agent asks a queue from the telephone that the log knows, and hands the caller on", `
			1|a.1|112|NONE|ENTERQUEUE||081234500001|1
			2|a.1|112|SIP/101|CONNECT|1|a.2|
			9|a.4|medis|NONE|ENTERQUEUE||101|1
			10|a.4|112|SIP/101|ATTENDEDTRANSFER|APP|Queue|12|120|1
			12|a.1|medis|SIP/102|CONNECT|3|a.5|
			20|a.1|medis|SIP/102|COMPLETEAGENT|3|8|1`, `
			1.000 call.queued a.1 queue=112 caller=081234500001
			2.000 call.answered a.1 queue=112 agent=SIP/101 position=meja-1 wait=1000
			2.000 agent.state SIP/101 position=meja-1 result=busy
			10.000 call.ended a.1 queue=112 agent=SIP/101 reason=transfer
			10.000 agent.state SIP/101 position=meja-1 result=available
			12.000 agent.state SIP/102 position=SIP/102 result=busy
			20.000 call.ended a.1 queue=medis agent=SIP/102
			20.000 agent.state SIP/102 position=SIP/102 result=available`},
		{"an agent asks from a telephone that nobody listed: what was told of the question is withdrawn", `
			1|a.1|112|NONE|ENTERQUEUE|||1
			2|a.1|112|Budi Santoso|CONNECT|1|a.2|
			9|a.4|medis|NONE|ENTERQUEUE||7009|1
			11|a.4|medis|SIP/102|CONNECT|2|a.5|
			12|a.4|112|Budi Santoso|ATTENDEDTRANSFER|BRIDGE|x|1|10|1
			20|a.4|medis|SIP/102|COMPLETEAGENT|2|9|1`, `
			1.000 call.queued a.1 queue=112
			2.000 call.answered a.1 queue=112 agent=p07 position=meja-7 wait=1000
			2.000 agent.state p07 position=meja-7 result=busy
			9.000 call.queued a.4 queue=medis caller=7009
			11.000 call.answered a.4 queue=medis agent=SIP/102 position=SIP/102 wait=2000
			11.000 agent.state SIP/102 position=SIP/102 result=busy
			12.000 call.ended a.1 queue=112 agent=p07 reason=transfer
			12.000 agent.state p07 position=meja-7 result=available
			12.000 event.withdrawn a.4 replaces=a.4.call.answered.1774519211
			12.000 event.withdrawn a.4 replaces=a.4.call.queued.1774519209
			20.000 call.ended a.1 queue=medis agent=SIP/102
			20.000 agent.state SIP/102 position=SIP/102 result=available`},
		{"an agent asks and gives up; a short number that the public knows is a caller though an agent has it", `
			1|a.1|112|NONE|ENTERQUEUE|||1
			2|a.1|112|SIP/110|CONNECT|1|a.2|
			3|a.3|112|NONE|ENTERQUEUE|||1
			4|a.3|112|SIP/102|CONNECT|1|a.4|
			5|a.5|medis|NONE|ENTERQUEUE||102|1
			8|a.5|medis|NONE|ABANDON|1|1|3
			9|a.6|112|NONE|ENTERQUEUE||110|1`, `
			1.000 call.queued a.1 queue=112
			2.000 call.answered a.1 queue=112 agent=SIP/110 position=SIP/110 wait=1000
			2.000 agent.state SIP/110 position=SIP/110 result=busy
			3.000 call.queued a.3 queue=112
			4.000 call.answered a.3 queue=112 agent=SIP/102 position=SIP/102 wait=1000
			4.000 agent.state SIP/102 position=SIP/102 result=busy
			9.000 call.queued a.6 queue=112 caller=110`},
		{"an agent who is said to be on another call hands a caller on who came from outside", `
			1|a.1|112|NONE|ENTERQUEUE|||1
			2|a.1|112|SIP/101|CONNECT|1|a.2|
			9|a.3|112|NONE|ENTERQUEUE||081234500002|1
			12|a.3|112|SIP/101|BLINDTRANSFER|600|x|1|7|1`, `
			1.000 call.queued a.1 queue=112
			2.000 call.answered a.1 queue=112 agent=SIP/101 position=meja-1 wait=1000
			2.000 agent.state SIP/101 position=meja-1 result=busy
			9.000 call.queued a.3 queue=112 caller=081234500002
			12.000 call.ended a.3 queue=112 agent=SIP/101 reason=transfer
			12.000 agent.state SIP/101 position=meja-1 result=available`},
		{"a call out of the house keeps its agent busy and is no call of the centre", `
			1|a.1|keluar|NONE|CALLOUTBOUND|081234500007|
			5|a.1|keluar|SIP/101|CONNECT|4|a.2|4
			9|a.1|keluar|SIP/101|COMPLETEAGENT|4|4|1
			10|a.3|keluar|NONE|CALLOUTBOUND|081234500007|
			15|a.3|keluar|NONE|ABANDON|1|1|5`, `
			5.000 agent.state SIP/101 position=meja-1 reason=outbound result=busy
			9.000 agent.state SIP/101 position=meja-1 result=available`},
		{"PAUSE and UNPAUSE sign nobody in", `
			1|a.1|NONE|Agent/7|AGENTCALLBACKLOGIN|1002@x
			2|NONE|NONE|Agent/7|PAUSEALL|
			3|NONE|NONE|Agent/7|AGENTCALLBACKLOGOFF|1002@x|43|CommandLogoff
			4|NONE|NONE|Agent/7|UNPAUSEALL|
			4|NONE|112|Agent/7|UNPAUSE|
			5|NONE|112|SIP/101|PAUSE|Auto-Pause
			6|a.2|112|NONE|ENTERQUEUE|||1
			7|a.2|112|SIP/101|CONNECT|1||
			8|a.2|112|SIP/101|COMPLETEAGENT|1|1|1
			9|NONE|112|SIP/101|UNPAUSE|`, `
			1.000 agent.state Agent/7 position=Agent/7 result=available
			2.000 agent.state Agent/7 position=Agent/7 result=paused
			3.000 agent.state Agent/7 position=Agent/7 result=offline
			6.000 call.queued a.2 queue=112
			7.000 call.answered a.2 queue=112 agent=SIP/101 position=meja-1 wait=1000
			7.000 agent.state SIP/101 position=meja-1 result=busy
			8.000 call.ended a.2 queue=112 agent=SIP/101
			8.000 agent.state SIP/101 position=meja-1 result=paused
			9.000 agent.state SIP/101 position=meja-1 result=available`},
		{"the clock is put back while a caller waits: a hold below zero is not known", `
			30|a.1|112|NONE|ENTERQUEUE|||1
			5|a.1|112|SIP/101|CONNECT|-25|a.2|2`, `
			30.000 call.queued a.1 queue=112
			3.000 call.ringing a.1 queue=112 agent=SIP/101 position=meja-1
			5.000 call.answered a.1 queue=112 agent=SIP/101 position=meja-1 ring=2000
			5.000 agent.state SIP/101 position=meja-1 result=busy`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newTestMapper()
			var got []string
			ids := map[string]bool{}
			for _, l := range lines(c.log) {
				drafts, err := m.MapText(nil, []byte(unescaped.Replace(l)))
				if err != nil {
					t.Fatalf("%s: %v", l, err)
				}
				for i := range drafts {
					got = append(got, tell(&drafts[i]))
					if ids[drafts[i].ID] {
						t.Errorf("two events have the id %s", drafts[i].ID)
					}
					ids[drafts[i].ID] = true
					if drafts[i].Source != DefaultSource || drafts[i].Center != "35.15" {
						t.Errorf("source %q, center %q", drafts[i].Source, drafts[i].Center)
					}
				}
			}
			jose, _ := m.names.Code("José | Luis")
			c.want = strings.ReplaceAll(c.want, "JOSE", jose)
			var want []string
			for _, l := range strings.Split(strings.TrimSpace(c.want), "\n") {
				want = append(want, strings.TrimSpace(l))
			}
			if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
				t.Errorf("got\n%s\nwant\n%s", g, w)
			}
		})
	}
}

func TestMalformedLinesAreCountedAndStopNothing(t *testing.T) {
	m := newTestMapper()
	for _, c := range []struct {
		line string
		want ParseError
	}{
		{"hello", TooFewFields},
		{"1774519200|a.1|112|NONE", TooFewFields},
		{"|a.1|112|NONE|ABANDON|1|1|1", BadTime},
		{"-1|a.1|112|NONE|ABANDON|1|1|1", BadTime},
		{"0|a.1|112|NONE|ABANDON|1|1|1", BadTime},
		{"99999999999999|a.1|112|NONE|ABANDON|1|1|1", BadTime},
		{"1774519200.x|a.1|112|NONE|ABANDON|1|1|1", BadTime},
		{"1774519200||112|NONE|ABANDON|1|1|1", BadUniqueID},
		{"1774519200|a b|112|NONE|ABANDON|1|1|1", BadUniqueID},
		{"1774519200|a.1|112|NONE|abandon|1|1|1", BadEvent},
		{"1774519200|a.1|112|NONE||1", BadEvent},
		{strings.Repeat("x", MaxLineBytes+1), LineTooLong},
	} {
		if _, err := m.MapText(nil, []byte(c.line)); !errors.Is(err, c.want) {
			t.Errorf("%.60q: %v, want %v", c.line, err, c.want)
		}
	}
	drafts, err := m.MapText(nil, []byte("1774519200|a.1|112|NONE|ABANDON|1|1|nine\r"))
	if err != nil || len(drafts) != 1 || drafts[0].WaitMS != nil {
		t.Errorf("a wait that is no number: %v, %v", drafts, err)
	}
	if drafts, err := m.MapText(nil, []byte("1774519200|a.1|112|NONE|PIZZA|1")); err != nil || len(drafts) != 0 {
		t.Errorf("an event that nobody knows: %v, %v", drafts, err)
	}
	got := m.Tally()
	if got.Lines != 14 || got.Numbers != 1 || got.Unknown["PIZZA"] != 1 || got.Malformed[BadTime] != 5 {
		t.Errorf("%+v", got)
	}
}

func TestNamesNeverLeave(t *testing.T) {
	n := NewNames(testConfig(), testKey)
	for name, want := range map[string]string{
		"SIP/101": "SIP/101", "PJSIP/7": "PJSIP/7", "Agent/12": "Agent/12",
		"Local/205@from-queue/n": "Local/205@from-queue/n",
		"205":                    "205", "Budi Santoso": "p07",
		"Siti Aminah": "", "siti": "", "SIP/siti": "", "siti.aminah": "", "Local/081234567890@from-queue/n": "",
		"SIP/1@0812345": "", "siti/101": "", "101-siti": "",
	} {
		code, listed := n.Code(name)
		if want != "" {
			if code != want || !listed {
				t.Errorf("%q: %q, %t", name, code, listed)
			}
			continue
		}
		again, _ := n.Code(name)
		other, _ := NewNames(testConfig(), []byte("another key")).Code(name)
		if listed || code != again || code == other || !codeLike(code) || strings.ContainsAny(code, "0123456789") ||
			!strings.HasPrefix(code, "p-") {
			t.Errorf("%q: %q, %t, again %q, with another key %q", name, code, listed, again, other)
		}
	}
}

// door is the real judge of what is sent.
func door(t testing.TB) *event.Decoder {
	keys, err := event.NewKeys(strings.NewReader(strings.Repeat("not random at all. ", 20)), time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	d, err := event.NewDecoder(event.Config{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A caller's number goes into the field caller and nowhere else, and the door takes every event.
func TestTheDoorTakesEveryEventAndNoNumberIsElsewhere(t *testing.T) {
	m, d := newTestMapper(), door(t)
	var body []byte
	n := 0
	for i, caller := range []string{"081234567890", "+6281234567890", "112", "anonymous", "<unknown>", "Budi <0812>",
		"0812-3456-7890",
		"123456789012345678901234567890", "sip:0812345678@10.0.0.1", "12", "+", "--------", "0031 8912345"} {
		uid := fmt.Sprintf("%d.%d", 1700000000+i, 628123+i)
		for _, l := range []string{
			fmt.Sprintf("%d|%s|112|NONE|ENTERQUEUE||%s|1", base, uid, caller),
			fmt.Sprintf("%d|%s|112|Local/081234567890@x/n|RINGNOANSWER|9000", base+9, uid),
			fmt.Sprintf("%d|%s|081234567890|SIP/081|CONNECT|9|%s|3", base+9, uid, uid),
			fmt.Sprintf("%d|%s|112|Siti Aminah|CONNECT|9|%s|3", base+9, uid, uid),
			fmt.Sprintf("%d|%s|112|Siti Aminah|COMPLETEAGENT|9|9|3", base+19, uid),
		} {
			drafts, err := m.MapText(nil, []byte(l))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range drafts {
				n++
				body = append(e.AppendCloudEvent(body), '\n')
				e.Caller = ""
				for _, secret := range []string{"81234567890", "Siti", "Aminah", "Budi"} {
					if text := string(e.AppendCloudEvent(nil)); strings.Contains(text, secret) {
						t.Errorf("%s is in %s", secret, text)
					}
				}
			}
		}
	}
	var b event.Batch
	if err := d.Decode(&b, body, event.NDJSON, time.Unix(base+60, 0)); err != nil {
		t.Fatal(err)
	}
	if len(b.Events) != n || len(b.Refusals) > 0 {
		t.Errorf("%d of %d events were taken; refused: %+v", len(b.Events), n, b.Refusals)
	}
}

func FuzzMapText(f *testing.F) {
	for _, l := range []string{
		"1774519200|1700000000.1|112|NONE|ENTERQUEUE||081234567890|1",
		"1774519201|1700000000.1|112|SIP/101|CONNECT|22|1700000000.2|4",
		"1774519201|1700000000.1|112|SIP/101|RINGNOANSWER|1000", "1774519202|1700000000.1|112|NONE|EXITWITHTIMEOUT|1|1|9",
		"1774519203|NONE|NONE|NONE|QUEUESTART|", "1774519203|MANAGER|112|Budi Santoso|ADDMEMBER|PAUSED",
		"1774519203|NONE|NONE|Agent/7|PAUSEALL|",
		"1774519204|1700000000.1|112|SIP/101|COMPLETECALLER|1|2|1\n1774519204|1700000000.1|medis|NONE|ABANDON|1|1|99999999999", "|||||", "x",
	} {
		f.Add(l)
	}
	d := door(f)
	f.Fuzz(func(t *testing.T, text string) {
		m, again := newTestMapper(), newTestMapper()
		var body []byte
		n := 0
		for _, l := range strings.Split(text, "\n") {
			drafts, err := m.MapText(nil, []byte(l))
			other, err2 := again.MapText(nil, []byte(l))
			if (err == nil) != (err2 == nil) || len(drafts) != len(other) {
				t.Fatalf("%q was read in two ways", l)
			}
			for i := range drafts {
				if string(drafts[i].AppendCloudEvent(nil)) != string(other[i].AppendCloudEvent(nil)) {
					t.Fatalf("%q was mapped in two ways", l)
				}
				body = append(drafts[i].AppendCloudEvent(body), '\n')
				n++
			}
		}
		if n == 0 || n > event.MaxBatchEvents {
			return
		}
		var b event.Batch
		if err := d.Decode(&b, body, event.NDJSON, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Refusals {
			if r.Field == event.FieldID || r.Field == event.FieldSubject || r.Field == event.FieldReplaces {
				continue // a unique id that looks like a telephone number
			}
			t.Errorf("refused: %s %s: %s", r.Field, r.Reason, r.Detail)
		}
	})
}
