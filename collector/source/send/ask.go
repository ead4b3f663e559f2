package send

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// ErrMayNotRead is returned by Sources and Events when the API key gives no right to read, or the server has nothing to
// read from.
var ErrMayNotRead = errors.New("the API key may not read the board")

// Held is an event as the server shows it: names are its directory's, the caller is left out.
type Held struct {
	ID     string          `json:"id"`
	Source string          `json:"source"`
	Type   string          `json:"type"`
	Time   time.Time       `json:"time"`
	Data   json.RawMessage `json:"data"`
}

// Sources returns the sources that the server has ever heard on its board, and when each spoke last.
func (c *Client) Sources(ctx context.Context) (map[string]time.Time, error) {
	var board struct {
		Sources []struct {
			Source      string    `json:"source"`
			LastEventAt time.Time `json:"last_event_at"`
		} `json:"sources"`
	}
	if _, err := c.get(ctx, "/v1/board", &board); err != nil {
		return nil, err
	}
	out := make(map[string]time.Time, len(board.Sources))
	for _, s := range board.Sources {
		out[s.Source] = s.LastEventAt
	}
	return out, nil
}

// Events returns the events that the server holds of one call or ticket, voided ones included; none when it does not
// know the case. kind is "call" or "ticket".
func (c *Client) Events(ctx context.Context, kind, center, id string) ([]Held, error) {
	var found struct {
		Events []Held `json:"events"`
	}
	_, err := c.get(ctx, "/v1/"+kind+"s/"+url.PathEscape(id)+"?center="+url.QueryEscape(center), &found)
	return found.Events, err
}

// get reads one answer; ok is false when there is no such thing.
func (c *Client) get(ctx context.Context, path string, into any) (ok bool, err error) {
	_, err = c.patiently(ctx, func() (after time.Duration, err error) {
		ok, after, err = c.tryGet(ctx, path, into)
		return after, err
	})
	return ok, err
}

func (c *Client) tryGet(ctx context.Context, path string, into any) (ok bool, after time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return false, 0, err
	}
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	if c.cfg.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.cfg.Key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return false, 0, &temporary{fmt.Errorf("no answer from the server: %w", err)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	if err != nil {
		return false, 0, &temporary{fmt.Errorf("the answer broke off: %w", err)}
	}
	switch s := resp.StatusCode; {
	case s == http.StatusOK:
		if len(text) > maxAnswerBytes {
			return false, 0, &StatusError{Status: s, Hint: fmt.Sprintf("the answer is longer than %d bytes", maxAnswerBytes)}
		}
		if err := json.Unmarshal(text, into); err != nil {
			return false, 0, &StatusError{
				Status: s, Body: excerpt(text), Hint: "the answer is not the one of a monev112 server; is the address right?",
			}
		}
		return true, 0, nil
	case s == http.StatusNotFound:
		return false, 0, nil
	case s == http.StatusUnauthorized, s == http.StatusForbidden, s == http.StatusMethodNotAllowed:
		return false, 0, ErrMayNotRead
	case s == http.StatusTooManyRequests, s >= 500 && s != http.StatusNotImplemented:
		return false, retryAfter(resp.Header.Get("Retry-After"), c.cfg.Now()),
			&temporary{&StatusError{Status: s, Body: excerpt(text)}}
	default:
		return false, 0, &StatusError{Status: s, Body: excerpt(text)}
	}
}
