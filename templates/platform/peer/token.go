package peer

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/e6b96b0c/backend/templates/platform/keyfile"
)

const (
	tokenFile    = "internal-token"
	tokenEntropy = 32 // bytes
)

// TokenFile returns the secret that all processes on one data folder share; it is made
// when it is not there, readable by its owner only.
func TokenFile(dir string) (string, error) {
	text, err := keyfile.Load(dir, tokenFile, newToken)
	if err == nil && len(strings.TrimSpace(string(text))) < tokenEntropy {
		err = fmt.Errorf("%s is too short; remove the file to have a new one made", tokenFile)
	}
	if err != nil {
		return "", fmt.Errorf("the token of calls between services: %w; check DATA_DIR=%s, or set INTERNAL_TOKEN", err, dir)
	}
	return strings.TrimSpace(string(text)), nil
}

func newToken() ([]byte, error) {
	random := make([]byte, tokenEntropy)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	return []byte(hex.EncodeToString(random)), nil
}
