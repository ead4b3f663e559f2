// Package servers starts real Prometheus and Alertmanager servers for tests, and stands in for what Alertmanager sends
// to: Telegram's Bot API, a mail server, webhooks. Everything listens on loopback and ends with the test.
//
//	am := servers.StartAlertmanager(t, func(addr string) string { return alertmanagerYAML })
//	prom := servers.StartPrometheus(t, func(addr string) string { return prometheusYAML })
//	prom.WaitScraped("monev112")
//	series := prom.Query(`up{job="monev112"}`)
//	prom.Kill(); prom.Start() // same port, same data
//
// The programs are those of .tools/bin, which `make test` and `make tools` build. Without them a test is skipped,
// except in CI (CI=true), where it fails: a check that never ran must not look green.
package servers
