package telemetry

import "fmt"

// Settings say where spans go. They are a section of the configuration file.
type Settings struct {
	Endpoint    string  `yaml:"endpoint"` // base URL of an OTLP/HTTP receiver
	SampleRatio float64 `yaml:"sample_ratio"`
}

// Check tells the first mistake, with the key and what would be right.
func (s Settings) Check() error {
	if r := s.SampleRatio; !(r >= 0 && r <= 1) {
		return fmt.Errorf("sample_ratio: %v is not a ratio; write a number between 0 and 1", r)
	}
	return nil
}
