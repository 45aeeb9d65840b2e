// Package s3 keeps uploaded files in a bucket of Amazon S3, or of another server that
// speaks its protocol.
package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/e6b96b0c/backend/templates/platform/blob"
)

const (
	connectTimeout = 5 * time.Second
	answerTimeout  = 30 * time.Second // from the end of a request to the answer's headers
	stallTimeout   = 30 * time.Second // without progress, in the midst of a body
	attempts       = 3
	idle           = 16 // connections
)

// Store implements blob.Store.
type Store struct {
	client *minio.Core
	bucket string
	prefix string // of objects' names
	stall  time.Duration
}

var _ blob.Store = (*Store)(nil)

// Open returns the store at a URL such as s3://bucket/prefix?region=eu-central-1. It does
// not connect: Ping does. The query takes
//
//	endpoint    the server, as in http://127.0.0.1:9000; AWS where it is absent
//	region      that of the bucket; where it is absent AWS_REGION, else us-east-1
//	path_style  whether the bucket is in the path (true) or in the host name (false);
//	            true where an endpoint is given
//
// The credentials are those of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, of the shared
// credentials file, or of the role that the machine or container has, the first that are
// there. They must permit GetObject, PutObject, DeleteObject and ListBucket: without the
// last, S3 does not tell a missing object from a forbidden one.
func Open(rawURL string) (*Store, error) {
	s, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	return s.open()
}

func (s *settings) open() (*Store, error) {
	client, err := minio.NewCore(s.host, &minio.Options{
		Creds: credentials.New(&chain{credentials.Chain{Providers: []credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{Region: s.region},
		}}}),
		Secure:       s.secure,
		Transport:    transport(s.stall),
		Region:       s.region, // without one, minio would ask for it first
		BucketLookup: s.lookup,
		MaxRetries:   attempts,
	})
	if err != nil {
		return nil, fmt.Errorf("the bucket %s: %w", s.bucket, err)
	}
	return &Store{client: client, bucket: s.bucket, prefix: s.prefix, stall: s.stall}, nil
}

// chain finds credentials. Where there are none, a plain Chain has requests sent without
// a signature, and all that an operator would see is that they are forbidden.
type chain struct{ credentials.Chain }

// RetrieveWithCredContext implements credentials.Provider.
func (c *chain) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	v, err := c.Chain.RetrieveWithCredContext(cc)
	if err == nil && v.SignerType.IsAnonymous() {
		err = errNoCredentials
	}
	return v, err
}

// transport bounds every wait but the one for a body to end: that may be long.
func transport(stall time.Duration) *http.Transport {
	dialer := net.Dialer{Timeout: connectTimeout}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return conn{c, stall}, nil
		},
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: answerTimeout,
		MaxIdleConns:          idle,
		MaxIdleConnsPerHost:   idle,
		IdleConnTimeout:       time.Minute,
		DisableCompression:    true, // what was stored compressed is to come back so
	}
}

// conn gives up when the other side no longer takes what is sent.
type conn struct {
	net.Conn
	stall time.Duration
}

// Write implements net.Conn.
func (c conn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// name is the object of a key: its hash, so that no key leads elsewhere.
func (s *Store) name(key string) string {
	sum := sha256.Sum256([]byte(key))
	return s.prefix + hex.EncodeToString(sum[:])
}

// Put implements blob.Store, in one request of at most 5 GiB on AWS. The file stays. The
// server takes nothing whose hash is not the one that the request is signed with.
func (s *Store) Put(ctx context.Context, key, path string, info blob.Info) error {
	f, err := os.Open(path) //nolint:gosec // where the caller has put it
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	stat, err := f.Stat()
	if err != nil {
		return err
	}
	sum := info.SHA256
	if sum == "" {
		hash := sha256.New()
		if _, err := io.Copy(hash, f); err != nil {
			return err
		}
		sum = hex.EncodeToString(hash.Sum(nil))
	}
	_, err = s.client.PutObject(ctx, s.bucket, s.name(key), f, stat.Size(), "", sum, minio.PutObjectOptions{
		ContentType:          info.Type,
		DisableContentSha256: true, // of each chunk: that of the whole is given
	})
	var broken *url.Error
	if errors.As(err, &broken) && !broken.Timeout() {
		// A server that refuses a large body may hang up before it has it all, so that its
		// answer is lost. It gives the same one here.
		if err := s.Ping(ctx); err != nil {
			return err
		}
	}
	return s.failure(ctx, "store a file in", err)
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string, info blob.Info) (io.ReadSeekCloser, error) {
	o := &object{store: s, ctx: context.WithoutCancel(ctx), name: s.name(key), size: info.Size}
	if err := o.open(ctx); err != nil {
		return nil, err
	}
	return o, nil
}

// Delete implements blob.Store. In a bucket with versions the bytes remain until a
// lifecycle rule removes them.
func (s *Store) Delete(ctx context.Context, key string) error {
	err := s.failure(ctx, "remove a file from", s.client.RemoveObject(ctx, s.bucket, s.name(key), minio.RemoveObjectOptions{}))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Ping implements blob.Store.
func (s *Store) Ping(ctx context.Context) error {
	there, err := s.client.BucketExists(ctx, s.bucket)
	if err == nil && !there {
		return fmt.Errorf("there is no bucket %s; make it, or correct the URL", s.bucket)
	}
	return s.failure(ctx, "reach", err)
}
