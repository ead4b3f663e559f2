package monev

import (
	"time"

	"github.com/monev112/monev112/collector/casefile"
)

// ServiceLevel counts calls by how soon they were answered. Its three shares differ in their denominator; all are shown
// and one is named as the contract (by default Strict).
type ServiceLevel struct {
	Offered        int // reached the queue (t1, else t0), neither blocked nor a test
	Answered       int // of Offered, with an answer stamp
	Timed          int // of Answered, with a known waiting time: the coverage of the measure
	Within         int // of Timed, answered within the target
	Abandoned      int // of Offered, hung up before an answer
	ShortAbandoned int // of Abandoned, sooner than the short-abandon limit
	waited         time.Duration
}

// Count adds one call. The target T is met by an answer after T or less; the limit S makes an abandoned call short that
// was given up before S.
func (s *ServiceLevel) Count(c *casefile.Call, target, short time.Duration) {
	if c.OfferedAt().IsZero() {
		return
	}
	s.Offered++
	if !c.AnsweredAt.IsZero() {
		s.Answered++
		if wait, ok := c.AnswerTime(); ok {
			s.Timed++
			s.waited += wait
			if wait <= target {
				s.Within++
			}
		}
		return
	}
	if !c.AbandonedAt.IsZero() {
		s.Abandoned++
		if wait, ok := c.AbandonTime(); ok && wait < short {
			s.ShortAbandoned++
		}
	}
}

// Strict (ketat) is answered within the target of all offered.
func (s *ServiceLevel) Strict() Share { return Share{s.Within, s.Offered} }

// Standard (standar) leaves calls out that were given up before anyone could fairly answer.
func (s *ServiceLevel) Standard() Share { return Share{s.Within, s.Offered - s.ShortAbandoned} }

// OfAnswered (terjawab) is answered within the target of all answered: it does not see the calls that were lost.
func (s *ServiceLevel) OfAnswered() Share { return Share{s.Within, s.Answered} }

// Coverage is the share of answered calls whose waiting time is known.
func (s *ServiceLevel) Coverage() Share { return Share{s.Timed, s.Answered} }

// AverageAnswer (ASA) is the mean waiting time of answered calls; ok is false without any.
func (s *ServiceLevel) AverageAnswer() (mean time.Duration, ok bool) {
	if s.Timed == 0 {
		return 0, false
	}
	return s.waited / time.Duration(s.Timed), true
}

// Classes counts answered calls by what they turned out to be. Tests are left out everywhere.
type Classes struct {
	Answered     int // stamped so, or classified, which implies it
	Unclassified int // of Answered
	Hoax         int // prank and prank_palsu; a silent call (ghost) is not hoax
	NoEmergency  int // Hoax and also ghost, pocket and informasi
}

// The classes that are no emergency beside the hoaxes.
const (
	classPocket = "pocket"
	classInfo   = "informasi"
)

// Count adds one call.
func (k *Classes) Count(c *casefile.Call) {
	if c.Test() || !c.Answered() {
		return
	}
	k.Answered++
	if !c.Classified() {
		k.Unclassified++
		return
	}
	if c.Hoax() {
		k.Hoax++
		k.NoEmergency++
	}
	switch c.Class {
	case casefile.ClassGhost, classPocket, classInfo:
		k.NoEmergency++
	}
}

func (k *Classes) classified() int { return k.Answered - k.Unclassified }

// HoaxRatio (rasio hoaks) is the hoaxes of all answered and classified calls.
func (k *Classes) HoaxRatio() Share { return Share{k.Hoax, k.classified()} }

// NoEmergencyRatio (rasio non-darurat) adds silent and pocket calls and requests for information to the numerator.
func (k *Classes) NoEmergencyRatio() Share { return Share{k.NoEmergency, k.classified()} }

// UnclassifiedShare (belum diklasifikasi) stands beside every ratio: what is not classified yet may move it.
func (k *Classes) UnclassifiedShare() Share { return Share{k.Unclassified, k.Answered} }

// Funnel says where the received calls went.
type Funnel struct {
	Received int
	Hoax     int
	OPD      int // passed to departments of the regency
	Vertical int // passed to agencies outside the regency's power
	Other    int // informed, silent, duplicates and whatever else ended at the call taker
}

// Closes reports whether the parts add up to what was received.
func (f Funnel) Closes() bool { return f.Received == f.Hoax+f.OPD+f.Vertical+f.Other }

// HoaxRatio is the share of hoaxes of what was received: the published figure, where all received calls were
// classified.
func (f Funnel) HoaxRatio() Share { return Share{f.Hoax, f.Received} }
