package routing

// file is Alertmanager's configuration, as far as it is written.
type file struct {
	Global    global         `yaml:"global"`
	Templates []string       `yaml:"templates"`
	Route     route          `yaml:"route"`
	Inhibit   []inhibit      `yaml:"inhibit_rules"`
	Intervals []timeInterval `yaml:"time_intervals,omitempty"`
	Receivers []receiver     `yaml:"receivers"`
}

type global struct {
	ResolveTimeout       string `yaml:"resolve_timeout"`
	TelegramAPIURL       string `yaml:"telegram_api_url,omitempty"`
	SMTPSmarthost        string `yaml:"smtp_smarthost,omitempty"`
	SMTPFrom             string `yaml:"smtp_from,omitempty"`
	SMTPAuthUsername     string `yaml:"smtp_auth_username,omitempty"`
	SMTPAuthPasswordFile string `yaml:"smtp_auth_password_file,omitempty"`
	SMTPRequireTLS       *bool  `yaml:"smtp_require_tls,omitempty"`
}

type route struct {
	Receiver       string   `yaml:"receiver"`
	Matchers       []string `yaml:"matchers,omitempty,flow"`
	GroupBy        []string `yaml:"group_by,omitempty,flow"`
	GroupWait      string   `yaml:"group_wait,omitempty"`
	GroupInterval  string   `yaml:"group_interval,omitempty"`
	RepeatInterval string   `yaml:"repeat_interval,omitempty"`
	Active         []string `yaml:"active_time_intervals,omitempty,flow"`
	Continue       bool     `yaml:"continue,omitempty"`
	Routes         []route  `yaml:"routes,omitempty"`
}

type inhibit struct {
	Source []string `yaml:"source_matchers,flow"`
	Target []string `yaml:"target_matchers,flow"`
	Equal  []string `yaml:"equal,omitempty,flow"`
}

type receiver struct {
	Name     string           `yaml:"name"`
	Telegram []telegramConfig `yaml:"telegram_configs,omitempty"`
	Email    []emailConfig    `yaml:"email_configs,omitempty"`
	Webhook  []webhookConfig  `yaml:"webhook_configs,omitempty"`
}

type telegramConfig struct {
	SendResolved bool   `yaml:"send_resolved"`
	BotTokenFile string `yaml:"bot_token_file"`
	ChatID       int64  `yaml:"chat_id,omitempty"`
	ChatIDFile   string `yaml:"chat_id_file,omitempty"`
	ThreadID     int    `yaml:"message_thread_id,omitempty"`
	Message      string `yaml:"message"`
	ParseMode    string `yaml:"parse_mode"`
}

type emailConfig struct {
	SendResolved bool              `yaml:"send_resolved"`
	To           string            `yaml:"to"`
	HTML         string            `yaml:"html"`
	Headers      map[string]string `yaml:"headers"`
}

type webhookConfig struct {
	SendResolved bool        `yaml:"send_resolved"`
	URL          string      `yaml:"url,omitempty"`
	URLFile      string      `yaml:"url_file,omitempty"`
	Timeout      string      `yaml:"timeout"`
	HTTP         *httpConfig `yaml:"http_config,omitempty"`
}

type httpConfig struct {
	Authorization authorization `yaml:"authorization"`
}

type authorization struct {
	Type            string `yaml:"type"`
	CredentialsFile string `yaml:"credentials_file"`
}
