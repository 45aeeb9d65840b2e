package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"

	"github.com/minio/minio-go/v7"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

var errNoCredentials = errors.New("there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role")

// passing are the codes with a status of 400 where the bytes came late or damaged.
var passing = []string{"RequestTimeout", "IncompleteBody", "BadDigest", "XAmzContentSHA256Mismatch"}

// failure turns an error into one that a caller can act on: of ctx, fs.ErrNotExist,
// store.ErrUnavailable where trying again may help, or one for the operator.
func (s *Store) failure(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	doing += " the bucket " + s.bucket
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s: %w", doing, ended)
	}
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		return refusal(doing, answer)
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) || errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, errNoCredentials) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w: %w", doing, store.ErrUnavailable, err)
}

// refusal is an answer of the server that is an error.
func refusal(doing string, answer minio.ErrorResponse) error {
	status, text := answer.StatusCode, fmt.Sprintf("%s: S3 answers %s: %.300s", doing, answer.Code, answer.Message)
	switch {
	case answer.Code == minio.NoSuchBucket:
		return errors.New(text + "; make the bucket, or correct the URL")
	case status == http.StatusNotFound:
		return fmt.Errorf("%s: %w", text, fs.ErrNotExist)
	case status >= 500 && status != http.StatusNotImplemented, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout,
		slices.Contains(passing, answer.Code):
		return fmt.Errorf("%w: %s", store.ErrUnavailable, text)
	case status >= 300 && status < 400, answer.Code == minio.AuthorizationHeaderMalformed, answer.Code == minio.InvalidRegion:
		return fmt.Errorf("%s; set the region in the URL to that of the bucket %s", text, answer.Region)
	case status == http.StatusForbidden:
		return errors.New(text + "; check the credentials in the environment, and what they permit")
	}
	return errors.New(text)
}
