{{define "call facts"}}
-- The facts of .Count calls from number .From on; n is the number of a call, in the order of time. Centre 0 is the
-- default of the dashboards.
	SELECT
		number AS n,
		toUInt32({{.Centers}} * pow((cityHash64(number, 1) % 1000003) / 1000003, 2)) AS i,
		if(i = 0, '35.15', concat(toString(36 + intDiv(i, 9)), '.', toString(71 + i % 9))) AS center,
		-- Nights are quieter than days.
		number * {{.Seconds}} / {{.Calls}} AS second,
		second % 86400 / 86400 AS part,
		fromUnixTimestamp64Milli(toInt64(1000 * ({{.Start}} + second - second % 86400 + 86400 * least(0.99999, greatest(0, part + 0.1 * sin(6.2832 * part))))), 'UTC') AS at,
		number % {{.CallsPerTicket}} = 0 AS with_ticket,
		cityHash64(number, 2) % 1000 AS luck,
		(cityHash64(number, 3) % 100000 + 1) / 100001 AS u,
		-- Waits are short with a long tail.
		toInt64(1000 * least(300, -6 * log(u))) AS wait,
		addMilliseconds(at, 500 + cityHash64(number, 4) % 2000) AS queued,
		with_ticket OR luck >= 50 AS is_answered,
		addMilliseconds(queued, wait) AS answer,
		addMilliseconds(answer, 5000 + cityHash64(number, 5) % 240000) AS end,
		multiIf(with_ticket, 'normal', luck < 70, NULL, luck < 900, 'prank', luck < 905, 'prank_palsu', luck < 940, 'ghost', luck < 980, 'informasi', luck < 990, 'pocket', 'putus')::Nullable(String) AS kind
	FROM numbers({{.From}}, {{.Count}})
{{end}}

{{define "calls"}}
INSERT INTO monev112.calls (center, id, version, at, day, received_at, queued_at, answered_at, abandoned_at, unserved_at, unserved_reason, blocked_at,
	ended_at, classified_at, first_classified_at, called_back_at, class, agent, queue, channel, kecamatan, wait_ms, caller_key_id, caller_key, caller_last3, tickets, flags, events)
SELECT center, concat('C-', leftPad(toString(n), 9, '0')), {{.Version}}, at, toDate(toTimeZone(at, 'Asia/Jakarta')), at, queued,
	if(is_answered, answer, NULL), if(NOT is_answered AND luck < 35, addSeconds(queued, 1 + luck), NULL), if(NOT is_answered AND luck >= 35, addSeconds(queued, 60), NULL),
	if(NOT is_answered AND luck >= 35, 'timeout', NULL), NULL, if(is_answered, end, NULL),
	if(is_answered AND {{.Version}} > 1, if(kind IS NULL, NULL, end), NULL), if(is_answered AND {{.Version}} > 1, if(kind IS NULL, NULL, end), NULL),
	if(NOT is_answered AND luck < 10, addSeconds(queued, 600), NULL),
	if(is_answered AND {{.Version}} > 1, kind, NULL), if(is_answered, concat('petugas-', toString(n % 40)), NULL), '112', 'telepon', NULL, NULL,
	'k1', hex(cityHash64(center, cityHash64(n, 6) % 20000)), leftPad(toString(n % 1000), 3, '0'),
	if(with_ticket, [concat('T-', leftPad(toString(n), 9, '0'))], []), [], if({{.Version}} > 1, 5, 3)
FROM ({{template "call facts" .}}) WHERE {{.Which}}
{{end}}

{{define "ticket facts"}}
-- Adds to the facts of calls what becomes of the tickets.
	SELECT *,
		cityHash64(n, 7) % 1000 AS fate,
		multiIf(fate < 30, NULL, fate < 480, ['pln', 'pdam', 'telkom', 'polresta', 'pgn', 'kodim0816', 'basarnas'][1 + cityHash64(n, 8) % 7],
			fate < 800, ['bpbd', 'damkar', 'dinkes', 'rsud', 'satpolpp', 'dishub', 'dpubmsda', 'dlhk', 'dinsos', 'dp3akb', 'disdukcapil', 'dpmptsp', 'diskominfo'][1 + cityHash64(n, 8) % 13],
			concat('kec_', toString(1 + cityHash64(n, 8) % 18)))::Nullable(String) AS to,
		if(to IS NULL, NULL, if(fate < 480, 'vertical', 'own'))::Nullable(String) AS power,
		['kebakaran', 'darurat_medis', 'kecelakaan', 'kriminal', 'banjir', 'pohon_tumbang', 'odgj', 'kdrt', 'evakuasi_hewan', 'pju', 'jalan_rusak', 'lampu_lalu_lintas',
			'sampah', 'listrik_padam', 'air', 'ketertiban', 'administrasi', 'info_layanan', 'lainnya'][1 + cityHash64(n, 9) % 19] AS category,
		multiIf(cityHash64(n, 9) % 19 < 3, 'darurat', cityHash64(n, 9) % 19 < 6, 'mendesak', cityHash64(n, 9) % 19 > 16, 'informasi', 'non_darurat') AS priority,
		priority IN ('darurat', 'mendesak') AS quick,
		concat(center, '.', leftPad(toString(1 + cityHash64(n, 10) % 18), 2, '0')) AS kecamatan,
		(cityHash64(n, 11) % 100000 + 1) / 100001 AS v,
		answer + toIntervalSecond(120) AS opened,
		opened + toIntervalSecond(20 + cityHash64(n, 12) % 300) AS assigned,
		assigned + toIntervalSecond(toInt64(-if(quick, 120, 20000) * log(v))) AS acknowledged,
		acknowledged + toIntervalSecond(60 + cityHash64(n, 13) % if(quick, 400, 20000)) AS departed,
		departed + toIntervalSecond(120 + cityHash64(n, 14) % if(quick, 900, 5000)) AS arrived,
		-- One in two hundred is never handled.
		if(cityHash64(n, 15) % 200 = 0, addDays(at, 3650), arrived + toIntervalSecond(toInt64(-if(quick, 10000, 250000) * log((cityHash64(n, 16) % 100000 + 1) / 100001)))) AS resolved,
		resolved + toIntervalSecond(3600 + cityHash64(n, 17) % 150000) AS confirmed,
		{{.Seen}} AS seen,
		priority = 'non_darurat' AND cityHash64(n, 18) % 20 = 0 AS waited,
		acknowledged + toIntervalSecond(600) AS wait_from, acknowledged + toIntervalSecond(600 + cityHash64(n, 19) % 40000) AS wait_to
	FROM ({{template "call facts" .}}) WHERE with_ticket
{{end}}

{{define "tickets"}}
INSERT INTO monev112.tickets (center, id, version, opd, scope, category, priority, kecamatan, state, at, day, received_at, answered_at, opened_at, assigned_at,
	acknowledged_at, departed_at, arrived_at, resolved_at, last_resolved_at, confirmed_at, closed_at, first_closed_at, rejected_at, merged_at, reopened_at, result, reopened, bounces,
	paused_s, paused_since, master, lat, lon, calls, stays.opd, stays.at, stays.acknowledged_at, stays.ended_at, pauses.since, pauses.until, pauses.reason, flags, events, last_event_at)
SELECT center, concat('T-', leftPad(toString(n), 9, '0')), {{.Version}}, to, power, category, priority, kecamatan,
	multiIf(to IS NULL, 'opened', cityHash64(n, 20) % 50 = 0, 'merged', confirmed < seen, 'closed', resolved < seen, 'resolved', arrived < seen AND quick, 'arrived', acknowledged < seen, 'acknowledged', 'assigned'),
	opened, toDate(toTimeZone(opened, 'Asia/Jakarta')), at, answer, opened, if(to IS NULL, NULL, assigned), if(to IS NOT NULL AND acknowledged < seen, acknowledged, NULL),
	if(to IS NOT NULL AND quick AND departed < seen, departed, NULL), if(to IS NOT NULL AND quick AND arrived < seen, arrived, NULL),
	if(to IS NOT NULL AND resolved < seen, resolved, NULL), if(to IS NOT NULL AND resolved < seen, resolved, NULL),
	if(to IS NOT NULL AND confirmed < seen, confirmed, NULL), if(to IS NOT NULL AND confirmed < seen, confirmed, NULL), if(to IS NOT NULL AND confirmed < seen, confirmed, NULL),
	if(cityHash64(n, 21) % 40 = 0, acknowledged, NULL), NULL, NULL, if(confirmed < seen, if(luck < 30, 'palsu', 'benar'), NULL), luck % 50 = 0, luck % 20 = 0,
	if(waited AND wait_to < seen, dateDiff('second', wait_from, wait_to), 0), NULL, NULL, -7.4 - luck / 5000, 112.7 + luck / 5000,
	[concat('C-', leftPad(toString(n), 9, '0'))], if(to IS NULL, [], [assumeNotNull(to)]), if(to IS NULL, [], [assigned]), if(to IS NULL, [], [if(acknowledged < seen, acknowledged, NULL)]), if(to IS NULL, [], [NULL]),
	if(waited AND wait_to < seen, [wait_from], []), if(waited AND wait_to < seen, [toNullable(wait_to)], []), if(waited AND wait_to < seen, ['menunggu_pihak_lain'], []), [], if({{.Version}} > 1, 7, 3), least(greatest(assigned, confirmed), seen)
FROM ({{template "ticket facts" .}}) WHERE {{.Which}}
{{end}}

{{define "answer clocks"}}
-- The policy's answer clock: 15 s; void where nobody answered.
INSERT INTO monev112.clocks (center, subject_kind, subject, clock, seq, version, kind, policy, policy_version, policy_line, calendar_version, opd, scope, category, priority, kecamatan,
	day, started_at, due_at, gross_due_at, breach_at, stopped_at, paused_s, risk_at, escalated_at, escalated2_at, void)
SELECT center, 'call', id, 'answer', 1, version, 'elapsed', 'sidoarjo', '2026.1', 1, NULL, NULL, NULL, NULL, NULL, NULL,
	day, queued_at, queued_at + toIntervalSecond(15), queued_at + toIntervalSecond(15), queued_at + toIntervalSecond(15), answered_at, 0,
	queued_at + toIntervalSecond(11), queued_at + toIntervalSecond(22), queued_at + toIntervalSecond(30), answered_at IS NULL
FROM monev112.calls WHERE version = {{.Version}} AND day >= '{{.Since}}' AND day < '{{.Until}}'
{{end}}

{{define "ticket clocks"}}
-- Of the facts of the tickets: a clock for each of acknowledge, arrive, resolve, resolve_total, confirm that applies.
INSERT INTO monev112.clocks (center, subject_kind, subject, clock, seq, version, kind, policy, policy_version, policy_line, calendar_version, opd, scope, category, priority, kecamatan,
	day, started_at, due_at, gross_due_at, breach_at, stopped_at, paused_s, risk_at, escalated_at, escalated2_at, void)
SELECT center, 'ticket', id, c.1, 1, version, 'elapsed', 'sidoarjo', '2026.1', 1, 'id-sidoarjo/2026', opd, scope, category, priority, kecamatan,
	toDate(toTimeZone(c.2, 'Asia/Jakarta')), c.2, c.2 + toIntervalSecond(c.3), c.2 + toIntervalSecond(c.3), c.2 + toIntervalSecond(c.3), c.4, if(c.1 LIKE 'resolve%', paused_s, 0),
	c.2 + toIntervalSecond(intDiv(c.3 * 3, 4)), c.2 + toIntervalSecond(intDiv(c.3 * 3, 2)), c.2 + toIntervalSecond(c.3 * 2), state = 'merged'
FROM monev112.tickets
ARRAY JOIN arrayFilter(x -> x.2 IS NOT NULL, [
	tuple('acknowledge', assigned_at, toInt64(multiIf(priority = 'darurat', 180, priority = 'mendesak', 900, 86400)), acknowledged_at),
	tuple('arrive', if(priority IN ('darurat', 'mendesak') OR category = 'kebakaran', received_at, NULL), toInt64(if(priority = 'darurat', 900, 3600)), arrived_at),
	tuple('resolve', opened_at, toInt64(multiIf(priority = 'darurat', 86400, priority = 'mendesak', 172800, 432000)), resolved_at),
	tuple('resolve_total', opened_at, toInt64(multiIf(priority = 'darurat', 86400, priority = 'mendesak', 172800, 432000)), last_resolved_at),
	tuple('confirm', last_resolved_at, toInt64(172800), confirmed_at)]) AS c
WHERE version = {{.Version}} AND day >= '{{.Since}}' AND day < '{{.Until}}'
{{end}}
