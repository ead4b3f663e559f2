// Package alerts holds no code: rules, their unit tests, message templates and the runbook are files beside it, and its
// tests hold them together. Every metric and label that a rule uses is one of collector/observability/metrics; every
// alert has its labels, its words, its section in runbook.md and tests in which it fires, stays silent and resolves;
// every route leads where the directory says; no message is longer than Telegram takes.
package alerts
