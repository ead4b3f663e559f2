-- 112 as the source of information: what came of the calls of class informasi. Days and as_of as in the monev views; a topic
-- is the call's category. docs/definitions.md has each in words.

{{- /* Seven days, in which a second call of one number about one topic is a repeat of the first. */}}
{{define "repeat"}}604800000{{end}}

{{- /* The questions of a centre's days, each with the time since the call before and until the next of its number about
its topic, in milliseconds, whatever the class of those; NULL where there is none or number or topic is not known.
Numbers made with different keys cannot be compared. */}}
{{define "questions"}}SELECT * FROM
    (
        SELECT center, day, id, at, class, outcome, referred_to, ifNull(category, '') AS topic,
            caller_key IS NOT NULL AND topic != '' AS followed,
            followed AND outcome IS NOT NULL AND at <= parseDateTime64BestEffort({{template "read at"}}, 3, 'UTC')
                - toIntervalMillisecond({{template "repeat"}}) AS judged,
            if(followed, dateDiff('millisecond', before, at), NULL) AS since_last,
            if(followed, dateDiff('millisecond', at, after), NULL) AS until_next
        FROM
        (
            SELECT center, day, id, assumeNotNull(c.at) AS at, class, outcome, referred_to, category, caller_key,
                lagInFrame(c.at) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before,
                leadInFrame(c.at) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS after
            FROM {{template "calls as of"}} AS c
            WHERE c.at IS NOT NULL AND day >= {since:Date} - 8 AND day < {until:Date} + 8
                -- Questions, and what one can be a repeat of or be repeated by.
                AND (ifNull(class = 'informasi', false) OR caller_key IS NOT NULL AND ifNull(category, '') != '')
            WINDOW w AS (PARTITION BY center, ifNull(caller_key_id, ''), ifNull(caller_key, id), ifNull(category, '') ORDER BY c.at, id)
        )
    )
    WHERE day >= {since:Date} AND day < {until:Date} AND ifNull(class = 'informasi', false){{end}}

-- measure: informasi (of the classified calls), dijawab, dirujuk, tidak_tahu (of the questions whose outcome is recorded),
-- kontak_pertama (answered at first contact: dijawab, and no call of the number about the topic within 7 days after; of the
-- questions with outcome, number and topic whose 7 days are over), berulang (questions of a number that called about the
-- topic within 7 days before; of those with number and topic). n are all questions, of informasi the answered calls;
-- coverage is denominator / n.
CREATE OR REPLACE VIEW {{db}}.monev_informasi AS
SELECT
    center, period, measure, numerator, denominator, n,
    if(n = 0, NULL, denominator / n) AS coverage,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    {{wilson "numerator" "denominator"}}
FROM
(
    SELECT center, {{template "period"}} AS period, 'informasi' AS measure, toInt64(sum(c.informasi)) AS numerator,
        toInt64(sum(c.classified)) AS denominator, toInt64(sum(c.answered)) AS n
    FROM {{db}}.calls_counted({{template "days"}}) AS c
    WHERE {{template "range"}}
    GROUP BY center, period
    UNION ALL
    SELECT center, period, m.1, toInt64(m.2), toInt64(m.3), toInt64(questions)
    FROM
    (
        SELECT center, {{template "period"}} AS period, count() AS questions,
            countIf(outcome IS NOT NULL) AS told,
            [
                ('dijawab', countIf(ifNull(outcome = 'dijawab', false)), told),
                ('dirujuk', countIf(ifNull(outcome = 'dirujuk', false)), told),
                ('tidak_tahu', countIf(ifNull(outcome = 'tidak_tahu', false)), told),
                ('kontak_pertama', countIf(judged AND ifNull(outcome = 'dijawab', false) AND NOT ifNull(until_next <= {{template "repeat"}}, false)), countIf(judged)),
                ('berulang', countIf(followed AND ifNull(since_last <= {{template "repeat"}}, false)), countIf(followed))
            ] AS measures
        FROM ({{template "questions"}})
        WHERE {{template "range"}}
        GROUP BY center, period
    )
    ARRAY JOIN measures AS m
);

-- What the knowledge base lacks: the questions by topic and to whom they were referred ('' where they were not). repeats are
-- of followed (number and topic known); told have an outcome; last is the day of the latest one that nobody could answer.
CREATE OR REPLACE VIEW {{db}}.monev_informasi_topics AS
SELECT
    center, topic, ifNull(q.referred_to, '') AS referred_to, count() AS n,
    countIf(outcome IS NOT NULL) AS told,
    countIf(ifNull(outcome = 'dijawab', false)) AS dijawab,
    countIf(ifNull(outcome = 'dirujuk', false)) AS dirujuk,
    countIf(ifNull(outcome = 'tidak_tahu', false)) AS tidak_tahu,
    countIf(q.followed) AS followed,
    countIf(q.followed AND ifNull(since_last <= {{template "repeat"}}, false)) AS repeats,
    maxIf(day, ifNull(outcome = 'tidak_tahu', false)) AS last
FROM ({{template "questions"}}) AS q
GROUP BY center, topic, q.referred_to;
