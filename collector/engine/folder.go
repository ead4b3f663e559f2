package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/keyfile"
)

// DefaultListen is where the embedded ClickHouse listens: ClickHouse's HTTP port, on loopback.
const DefaultListen = "127.0.0.1:8123"

// FolderName is the name of the engine's folder in the data folder of the service.
const FolderName = "clickhouse"

// Files of a data folder that clients on the same machine read.
const (
	KeyFile  = "engine.key"
	addrFile = "engine.addr"
)

const (
	keyBytes    = 32
	maxKeyBytes = 1 << 10 // of the file; a key and the space around it are far shorter
)

// ReadKey gives the key of the engine whose data folder is dataDir.
func ReadKey(dataDir string) (string, error) { return keyFile(dataDir).Read() }

// LoadOrCreateKey gives the key of the data folder dataDir, and makes one at first use.
func LoadOrCreateKey(dataDir string) (string, error) {
	return keyFile(dataDir).ReadOrCreate(func() (string, error) {
		raw := make([]byte, keyBytes)
		_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
		return hex.EncodeToString(raw), nil
	})
}

func keyFile(dataDir string) keyfile.File[string] {
	return keyfile.File[string]{
		Path: filepath.Join(dataDir, KeyFile), Name: "engine: key file", MaxBytes: maxKeyBytes, Parse: parseKey,
		Format: func(key string) ([]byte, error) { return []byte(key + "\n"), nil },
	}
}

func parseKey(text []byte) (string, error) {
	key := strings.TrimSpace(string(text))
	if raw, err := hex.DecodeString(key); err != nil || len(raw) != keyBytes {
		return "", fmt.Errorf("it does not hold %d hexadecimal digits: delete it and the next start makes a new one",
			2*keyBytes)
	}
	return key, nil
}

// WriteAddr says in the data folder dataDir where its engine answers, until remove is called. The caller holds the
// folder's lock.
func WriteAddr(dataDir, addr string) (remove func(), err error) {
	path := filepath.Join(dataDir, addrFile)
	if err := disk.WriteFile(disk.OS{}, path, 0o600, []byte(addr+"\n")); err != nil {
		return nil, fmt.Errorf("engine: write the address: %w", err)
	}
	return func() { _ = os.Remove(path) }, nil
}

// ReadAddr gives the address of the engine that serves the data folder dataDir, empty when none does or none answers
// there.
func ReadAddr(ctx context.Context, dataDir string) string {
	b, err := os.ReadFile(filepath.Join(dataDir, addrFile))
	addr := strings.TrimSpace(string(b))
	if err != nil || Ping(ctx, addr) != nil {
		return ""
	}
	return addr
}

// pingTimeout bounds the question whether an engine answers; it already listens by then.
const pingTimeout = 10 * time.Second

// Ping asks the engine at addr whether it answers; nil means yes.
func Ping(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/ping", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/ping answers %s", response.Status)
	}
	return nil
}
