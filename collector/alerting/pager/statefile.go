package pager

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"

	"github.com/go-json-experiment/json"

	"github.com/monev112/monev112/collector/internal/disk"
)

// stateFile is the usual name of the state file in the data folder. It is JSON, replaced whole with every change:
//
//	{"version": 1, "accepted": time, "active": [...], "ended": [...], "waiting": [...], "closings": [...],
//	 "digests": [...], "digest_told": {center: time}}
//
// It names tickets by their ids and holds nothing of a citizen. Without it only the memory of what was pushed is lost:
// alerts start anew, which Alertmanager takes for the same, and closings of tickets alerted before are not pushed.
const stateFile = "pager.json"

const (
	stateVersion  = 1
	maxStateBytes = 64 << 20
	// corruptSuffix is added to the name of a state file that cannot be read. There is one at most: the latest.
	corruptSuffix = ".corrupt"
)

// load reads the state file. One that cannot be understood is kept aside and logged, and the pager starts without:
// alerts must go out.
func load(fsys disk.FS, name string, log *slog.Logger) (*state, error) {
	text, err := disk.ReadFile(fsys, name, maxStateBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return &state{Version: stateVersion}, nil
	}
	s := &state{}
	if err == nil {
		err = json.Unmarshal(text, s, json.RejectUnknownMembers(true))
	}
	if err == nil && s.Version != stateVersion {
		err = fmt.Errorf("version %d, this program knows %d", s.Version, stateVersion)
	}
	if err == nil {
		return s, nil
	}
	aside := name + corruptSuffix
	if rerr := fsys.Rename(name, aside); rerr != nil {
		return nil, fmt.Errorf("pager: %s cannot be read (%w) nor put aside: %w; move it away", name, err, rerr)
	}
	log.Error("pager state cannot be read, starting without", "kept", aside, "error", err)
	return &state{Version: stateVersion}, nil
}

func (s *state) save(fsys disk.FS, name string) error {
	text, err := s.encode()
	if err != nil {
		return err
	}
	return disk.Replace(fsys, name, 0o600, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

func (s *state) encode() ([]byte, error) { return json.Marshal(s, json.Deterministic(true)) }
