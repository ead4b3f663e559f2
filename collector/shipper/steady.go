package shipper

import "time"

// steady is the present as far as it is safe to forget by it. A host's clock that is wrong for a moment, also at a
// start, must not make the board forget who is to be called back, nor delete segments before their time. So nothing is
// forgotten by a clock before it ran evenly for a while; until then the present stands still.
type steady struct {
	evenFor time.Duration

	began     time.Time // carries a monotonic reading
	asked     bool
	wall      time.Time     // what the clock said when last asked
	ran       time.Duration // and how long this had been running then
	evenSince time.Duration // the clock did not jump since
	trusted   time.Time
}

// clockJump is how far the clock may move, beside the time that went by, before that is a jump.
const clockJump = 10 * time.Second

// at returns the present by a clock that says now, or, while that is not to be trusted, the last instant that was; zero
// when there was none. The two readings of now, wall and monotonic, tell a jump from time that went by.
func (s *steady) at(now time.Time) time.Time {
	if !s.asked {
		s.began = now
	}
	return s.after(now.Round(0), now.Sub(s.began))
}

// after is at for a clock that says wall when this has been running so long.
func (s *steady) after(wall time.Time, ran time.Duration) time.Time {
	if jumped := wall.Sub(s.wall) - (ran - s.ran); !s.asked || jumped.Abs() > clockJump {
		s.evenSince = ran
	}
	s.asked, s.wall, s.ran = true, wall, ran
	if ran-s.evenSince >= s.evenFor {
		s.trusted = wall
	}
	return s.trusted
}
