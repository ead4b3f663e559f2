package send

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// ErrMayNotRead is returned by Sources and Events when the API key gives no right to read, or the server has nothing to
// read from.
var ErrMayNotRead = errors.New("the API key may not read the board")

// HeldEvent is an event as the collector shows it: names are its directory's, the caller is left out.
type HeldEvent struct {
	ID     string          `json:"id"`
	Source string          `json:"source"`
	Type   string          `json:"type"`
	Time   time.Time       `json:"time"`
	Data   json.RawMessage `json:"data"`
}

// Sources returns the names of the sources that the server has ever heard of.
func (c *Client) Sources(ctx context.Context) (map[string]bool, error) {
	var board struct {
		Sources []struct {
			Source string `json:"source"`
		} `json:"sources"`
	}
	if err := c.get(ctx, "/v1/board", &board); err != nil {
		return nil, err
	}
	out := make(map[string]bool, len(board.Sources))
	for _, s := range board.Sources {
		out[s.Source] = true
	}
	return out, nil
}

// Events returns the events that the server holds of one call or ticket, voided ones included; none when it does not
// know the case. kind is "call" or "ticket".
func (c *Client) Events(ctx context.Context, kind, center, id string) ([]HeldEvent, error) {
	var found struct {
		Events []HeldEvent `json:"events"`
	}
	err := c.get(ctx, "/v1/"+kind+"s/"+url.PathEscape(id)+"?center="+url.QueryEscape(center), &found)
	return found.Events, err
}

// get reads one answer; into stays as it is when there is no such thing.
func (c *Client) get(ctx context.Context, path string, into any) error {
	_, err := c.cfg.Do(ctx, func() error {
		r, err := c.request(ctx, path, nil)
		if err != nil {
			return err
		}
		switch s := r.status; {
		case s == http.StatusOK:
			return r.decode(into)
		case s == http.StatusNotFound:
			return nil
		case s == http.StatusUnauthorized, s == http.StatusForbidden, s == http.StatusMethodNotAllowed:
			return ErrMayNotRead
		case s == http.StatusTooManyRequests, s >= 500 && s != http.StatusNotImplemented:
			return r.passes(c.cfg.Now())
		}
		return r.fail("")
	})
	return err
}
