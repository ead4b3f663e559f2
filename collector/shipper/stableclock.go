package shipper

import "time"

// stableClock is the present as far as it is safe to delete by it. A host clock that is wrong for a moment, also right
// after a start, must not make the board forget who is to be called back, nor delete segments too early. So nothing is
// deleted by a clock before it ran for a while without a jump; until then the present stands still.
type stableClock struct {
	stableFor time.Duration // how long the clock must run without a jump

	began       time.Time // carries a monotonic reading
	asked       bool
	wall        time.Time     // what the clock said when it was asked last
	ran         time.Duration // and how long this had been running then
	stableSince time.Duration // the clock did not jump since
	trusted     time.Time
}

// clockJump is how far the clock may move, beside the time that passed, before that counts as a jump.
const clockJump = 10 * time.Second

// now returns clock, or, while that is not to be trusted, the last instant that was; zero when there was none. The two
// readings of clock, wall and monotonic, tell a jump from time that passed.
func (s *stableClock) now(clock time.Time) time.Time {
	if !s.asked {
		s.began = clock
	}
	return s.at(clock.Round(0), clock.Sub(s.began))
}

// at is now for a clock that shows wall after it has been running for ran.
func (s *stableClock) at(wall time.Time, ran time.Duration) time.Time {
	if jump := wall.Sub(s.wall) - (ran - s.ran); !s.asked || jump.Abs() > clockJump {
		s.stableSince = ran
	}
	s.asked, s.wall, s.ran = true, wall, ran
	if ran-s.stableSince >= s.stableFor {
		s.trusted = wall
	}
	return s.trusted
}
