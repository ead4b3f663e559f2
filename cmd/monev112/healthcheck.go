package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector"
)

func healthcheckCommand() *cobra.Command {
	var (
		address string
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running service whether it accepts events",
		Long: `healthcheck requests /-/ready and exits with 0 when the service accepts events, else with 1 and the
reason. Use it in containers and scripts on machines without an HTTP client.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			said, err := askHealth(ctx, address)
			if err == nil {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), said)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&address, "url", "http://"+collector.DefaultListen+"/-/ready", "URL to request")
	cmd.Flags().DurationVar(&timeout, "timeout", 4*time.Second, "how long to wait for the answer")
	return cmd
}

// maxHealthBytes bounds what is read of an answer.
const maxHealthBytes = 4 << 10

// askHealth gets address and returns what it answers; any status but 200 is an error.
func askHealth(ctx context.Context, address string) (string, error) {
	to, err := url.Parse(address)
	if err != nil || to.Host == "" {
		return "", usagef("--url %q is not a URL: write it as http://127.0.0.1:8112/-/ready", address)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{Proxy: nil, DisableKeepAlives: true}
	if ip := net.ParseIP(to.Hostname()); to.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		// On this machine's own address there is nobody to be taken for, and the certificate is for another name.
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxHealthBytes))
	if err != nil {
		return "", err
	}
	said := strings.TrimSpace(string(body))
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s: %s", address, resp.Status, said)
	}
	return said, nil
}
