package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/monev112/monev112/collector/source/send"
)

// adminClient asks a running service for what an operator may ask.
type adminClient struct {
	server, key string
	http        *http.Client
	waiting     func() // told once of an answer that has to be waited for; nil is silence
}

// adminTimeout bounds one request; a freeze of a large centre computes every figure of a month.
const adminTimeout = 5 * time.Minute

// maxAnswerBytes bounds what is read of an answer.
const maxAnswerBytes = 64 << 20

func (f *sendFlags) admin() (*adminClient, error) {
	key, err := f.key()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(f.server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usagef("--server %q: give an address such as http://127.0.0.1:8112", f.server)
	}
	return &adminClient{strings.TrimRight(f.server, "/"), key, &http.Client{Timeout: adminTimeout}, nil}, nil
}

// refusal is an answer that is no result.
type refusal struct {
	status int
	detail string
}

func (r *refusal) Error() string { return r.detail }

// passes reports whether the same request may be answered otherwise later.
func (r *refusal) passes() bool { return r.status >= 500 || r.status == http.StatusTooManyRequests }

// askOnce asks the service of f one thing.
func askOnce[T any](ctx context.Context, f *sendFlags, method, path string, in any) (out T, err error) {
	c, err := f.admin()
	if err == nil {
		err = c.ask(ctx, method, path, in, &out)
	}
	return out, err
}

// filled encodes the values of a query that are given.
func filled(q map[string]string) string {
	v := url.Values{}
	for name, value := range q {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v.Encode()
}

// ask sends a request and reads its answer into out. A *refusal is what the service says no to; any other error is a
// service that cannot be reached.
func (c *adminClient) ask(ctx context.Context, method, path string, in, out any) error {
	text, _, err := c.fetch(ctx, method, path, in)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s answers something else than expected (is it monev112 of this version?): %w", c.server, err)
	}
	return nil
}

// fetch is ask for an answer of any kind. It waits for one that is being made.
func (c *adminClient) fetch(ctx context.Context, method, path string, in any) ([]byte, http.Header, error) {
	for {
		text, header, wait, err := c.fetchOnce(ctx, method, path, in)
		if err != nil || wait == 0 {
			return text, header, err
		}
		if c.waiting != nil {
			c.waiting()
			c.waiting = nil // said once
		}
		if err := send.Sleep(ctx, wait); err != nil {
			return nil, nil, err
		}
	}
}

// fetchOnce is fetch that says for how long to wait before asking again; zero: the answer is there.
func (c *adminClient) fetchOnce(ctx context.Context, method, path string, in any) (text []byte, header http.Header,
	wait time.Duration, err error) {
	var body []byte
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return nil, nil, 0, err
		}
	}
	r, err := c.do(ctx, method, path, "application/json", body)
	if err != nil {
		return nil, nil, 0, err
	}
	if r.code >= 300 {
		var p struct{ Detail string }
		if json.Unmarshal(r.text, &p) != nil || p.Detail == "" {
			p.Detail = fmt.Sprintf("%s answers %s", c.server, r.status)
		}
		return nil, nil, 0, &refusal{r.code, p.Detail}
	}
	if r.code == http.StatusAccepted { // without the header it is work that nobody waits for
		seconds, _ := strconv.Atoi(r.header.Get("Retry-After"))
		wait = time.Duration(seconds) * time.Second
	}
	return r.text, r.header, wait, nil
}

// reply is an answer of whatever status, read whole.
type reply struct {
	code   int
	status string // such as 404 Not Found
	header http.Header
	text   []byte
}

// do sends a request with the key and reads its answer. A nil body is none.
func (c *adminClient) do(ctx context.Context, method, path, contentType string, body []byte) (r reply, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.server+path, bytes.NewReader(body))
	if err != nil {
		return r, err
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.http.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		err = fmt.Errorf("no service at %s (%w): start it, or name where it runs with --server", c.server, err)
	}
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	r = reply{code: resp.StatusCode, status: resp.Status, header: resp.Header}
	r.text, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	return r, err
}
