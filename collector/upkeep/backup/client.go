package backup

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/internal/keyfile"
	"github.com/monev112/monev112/collector/store"
)

// Client speaks to ClickHouse's HTTP interface, the embedded engine's or a server's: rows go as they are,
// tab-separated.
type Client struct {
	URL      string // http://host:8123 or https://host:8443
	User     string // default "default"
	Password string // the engine's key
	Database string // default store.DefaultDatabase
	HTTP     *http.Client
}

// ClientOf returns the HTTP interface of the server that the configuration names, nil when it names none.
func ClientOf(s store.Server) (*Client, error) {
	if s.Address == "" {
		return nil, nil
	}
	if s.Protocol != store.HTTP {
		return nil, errors.New("the configuration reaches ClickHouse by its native protocol; a backup goes through the " +
			"HTTP interface: name it with --clickhouse, such as https://db.example:8443")
	}
	scheme := "http://"
	if s.TLS.Enabled {
		scheme = "https://"
	}
	password, err := ReadPassword(s.PasswordFile)
	return &Client{URL: scheme + s.Address, User: s.User, Password: password, Database: s.Database}, err
}

// Check refuses an address that is not one of the HTTP interface.
func (c *Client) Check() error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf(
			"ClickHouse address %q: give its HTTP interface, such as http://127.0.0.1:8123 or https://db.example:8443, "+
				"without user and password", c.URL)
	}
	if u.Port() == "9000" || u.Port() == "9440" {
		return fmt.Errorf(
			"ClickHouse address %q: %s is the native protocol's port; backup and restore use the HTTP interface (8123, with "+
				"TLS 8443)", c.URL, u.Port())
	}
	return nil
}

func (c *Client) database() string {
	return cmp.Or(c.Database, store.DefaultDatabase)
}

// store opens a Store on the same database.
func (c *Client) store(ctx context.Context) (*store.Store, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), map[string]string{"http": "8123", "https": "8443"}[u.Scheme])
	}
	return store.Open(ctx, store.Config{
		Addr: addr, Protocol: store.HTTP, Database: c.database(), User: c.User, Password: c.Password,
		TLS: store.TLS{Enabled: u.Scheme == "https"}, RequestTimeout: 10 * time.Minute,
	})
}

func (c *Client) schemaVersion(ctx context.Context) (uint32, error) {
	st, err := c.store(ctx)
	if err != nil {
		return 0, err
	}
	defer st.Close()
	return st.SchemaVersion(ctx)
}

// post sends a statement, or rows behind one, and returns the body of the answer.
func (c *Client) post(ctx context.Context, sql string, settings url.Values, rows io.Reader,
	encoding string) (io.ReadCloser, error) {
	q := url.Values{"database": {c.database()}}
	for k, v := range settings {
		q[k] = v
	}
	body := rows
	if rows == nil {
		body = strings.NewReader(sql)
	} else {
		q.Set("query", sql)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(c.URL, "/")+"/?"+q.Encode(), body)
	if err != nil {
		return nil, err
	}
	if c.User != "" {
		req.Header.Set("X-ClickHouse-User", c.User)
	}
	if c.Password != "" {
		req.Header.Set("X-ClickHouse-Key", c.Password)
	}
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := cmp.Or(c.HTTP, http.DefaultClient).Do(req)
	if err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // what came of it
		resp.Body.Close()
		return nil, fmt.Errorf("clickhouse at %s answers %s: %s", c.URL, resp.Status, bytes.TrimSpace(text))
	}
	return resp.Body, nil
}

// maxSmallAnswer bounds the answers that are read whole.
const maxSmallAnswer = 1 << 20

// rows runs a statement with a small answer and returns its rows, cut into columns.
func (c *Client) rows(ctx context.Context, sql string) (out [][]string, err error) {
	body, err := c.post(ctx, sql, nil, nil, "")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxSmallAnswer))
	if err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		out = append(out, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return out, nil
}

// value runs a statement whose answer is one value.
func (c *Client) value(ctx context.Context, sql string) (string, error) {
	rows, err := c.rows(ctx, sql)
	if err == nil && (len(rows) != 1 || len(rows[0]) != 1) {
		err = fmt.Errorf("clickhouse: one value expected of %q, got %q", sql, rows)
	}
	if err != nil {
		return "", err
	}
	return rows[0][0], nil
}

// errIncomplete is a line without the columns of a row: ClickHouse writes an error that comes midway in the place of
// one.
var errIncomplete = errors.New("clickhouse ended its answer midway")

// streamRows gives each row of a SELECT to each, with its line break; columns is how many it has. The slice is valid
// until each returns.
func (c *Client) streamRows(ctx context.Context, sql string, columns int, each func(row []byte) error) error {
	body, err := c.post(ctx, sql+" FORMAT TabSeparated", nil, nil, "")
	if err != nil {
		return err
	}
	defer body.Close()
	r := bufio.NewReaderSize(body, 1<<20)
	var long []byte
	for {
		part, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		row := part
		if len(long) > 0 {
			long = append(long, part...)
			row = long
		}
		if errors.Is(err, io.EOF) && len(row) == 0 {
			return nil
		}
		if err == nil && bytes.Count(row, []byte{'\t'}) != columns-1 || errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: %.500s", errIncomplete, row)
		}
		if err != nil {
			return fmt.Errorf("clickhouse: %w", err)
		}
		if err := each(row); err != nil {
			return err
		}
		long = long[:0]
	}
}

// insert sends packed rows.
func (c *Client) insert(ctx context.Context, table string, columns []string, packed io.Reader) error {
	// A repetition is absorbed by the tables; a token or block that ClickHouse remembers of rows since removed is not.
	settings := url.Values{"insert_deduplicate": {"0"}, "max_partitions_per_insert_block": {"0"}}
	body, err := c.post(ctx, fmt.Sprintf("INSERT INTO %s (%s) FORMAT TabSeparated", name(table), names(columns)), settings,
		packed, "zstd")
	if err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	defer body.Close()
	if text, err := io.ReadAll(io.LimitReader(body, 4<<10)); err != nil || len(text) > 0 {
		return errors.Join(fmt.Errorf("insert into %s: clickhouse: %s", table, text), err)
	}
	return nil
}

// name quotes an identifier, which may come from a manifest.
func name(s string) string { return "`" + strings.NewReplacer("`", "``", `\`, `\\`).Replace(s) + "`" }

func names(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = name(s)
	}
	return strings.Join(quoted, ", ")
}

// ReadPassword reads a password file; no name is no password.
func ReadPassword(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	password, err := keyfile.ReadLine(file)
	if err != nil {
		return "", fmt.Errorf("read the clickhouse password: %w", err)
	}
	return password, nil
}
