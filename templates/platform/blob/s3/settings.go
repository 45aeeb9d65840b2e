package s3

import (
	"errors"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

const (
	aws       = "s3.amazonaws.com" // minio finds the host of the region
	maxPrefix = 900                // bytes, of the 1024 of an object's name
)

// settings are what a URL says.
type settings struct {
	bucket, prefix string
	host, region   string
	secure         bool
	lookup         minio.BucketLookupType
	stall          time.Duration
}

// parse reads a URL. Its errors show nothing of it: any part may be a misplaced secret.
func parse(rawURL string) (*settings, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "s3" || u.Opaque != "" || u.Fragment != "" {
		return nil, errors.New("the URL of the bucket cannot be read; it must look like s3://bucket/prefix?region=eu-central-1, with special characters percent-encoded")
	}
	if u.User != nil {
		return nil, errors.New("the URL of the bucket has credentials; leave them out and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead")
	}
	if s3utils.CheckValidBucketNameStrict(u.Host) != nil {
		return nil, errors.New("the URL names no valid bucket; it must look like s3://bucket/prefix, the bucket being 3 to 63 small letters, digits, hyphens and dots")
	}
	s := &settings{bucket: u.Host, prefix: strings.Trim(u.Path, "/"), stall: stallTimeout}
	if s.prefix != "" {
		if !plain(s.prefix) {
			return nil, errors.New("the prefix in the URL of the bucket must be names with single slashes between them: none of them . or .., no control characters, and not too long")
		}
		s.prefix += "/"
	}
	return s, s.query(u.RawQuery)
}

// plain reports whether every server takes the prefix as it is.
func plain(prefix string) bool {
	odd := func(segment string) bool { return segment == "" || segment == "." || segment == ".." }
	return len(prefix) <= maxPrefix && utf8.ValidString(prefix) && !strings.ContainsFunc(prefix, unicode.IsControl) &&
		!slices.ContainsFunc(strings.Split(prefix, "/"), odd)
}

func (s *settings) query(raw string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return errors.New("the query in the URL of the bucket cannot be read; percent-encode special characters in it")
	}
	for name, values := range query {
		if !slices.Contains([]string{"endpoint", "region", "path_style"}, name) || len(values) > 1 {
			return errors.New("the query in the URL of the bucket may have endpoint, region and path_style, each once, and nothing else; credentials belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
		}
	}
	if s.region = query.Get("region"); s.region == "" {
		s.region = os.Getenv("AWS_REGION")
	}
	if s.region == "" {
		s.region = "us-east-1"
	}
	s.host, s.secure = aws, true
	if query.Has("endpoint") {
		e, err := url.Parse(query.Get("endpoint"))
		if err != nil || e.Scheme != "http" && e.Scheme != "https" || e.User != nil || e.Hostname() == "" ||
			strings.Trim(e.Path, "/") != "" || e.RawQuery != "" || e.Fragment != "" {
			return errors.New("the endpoint in the URL of the bucket must be http:// or https:// and a host, with its port if need be, as in endpoint=http://127.0.0.1:9000")
		}
		s.host, s.secure, s.lookup = e.Host, e.Scheme == "https", minio.BucketLookupPath
	}
	switch style := query["path_style"]; {
	case style == nil:
	case style[0] == "true":
		s.lookup = minio.BucketLookupPath
	case style[0] == "false":
		s.lookup = minio.BucketLookupDNS
	default:
		return errors.New("path_style in the URL of the bucket must be true or false")
	}
	return nil
}
