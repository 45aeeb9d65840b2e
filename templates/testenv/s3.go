package testenv

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// S3URL is the variable with the URL of a server to use, as in
	// s3://any?endpoint=http://127.0.0.1:9000&region=us-east-1, on which the credentials of
	// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY may make buckets.
	S3URL = "BACKEND_TEST_S3_URL"
)

// errNoS3 means that there is nothing to start.
var errNoS3 = errors.New("no S3 server: install versitygw (make servers), or set " + S3URL)

var sharedS3 = shared(newS3)

// S3Server is a versitygw server, which checks signatures.
type S3Server struct {
	dir     string
	url     url.URL
	env     map[string]string
	process *process
}

// S3 returns the URL of a new, empty bucket, and the variables with its credentials. It is
// on the server of BACKEND_TEST_S3_URL, from which it goes when t ends, or on one that all
// tests of this process share. Without either t is skipped.
func S3(t testing.TB) (bucketURL string, env map[string]string) {
	t.Helper()
	server := os.Getenv(S3URL)
	if server == "" {
		s, err := sharedS3()
		fatal(t, "versitygw", err, errNoS3)
		return s.Bucket(t)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not a URL", S3URL)
	}
	env = map[string]string{}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		env[name] = os.Getenv(name)
	}
	bucketURL, client := bucket(t, *u, env)
	t.Cleanup(func() {
		name, _, _ := strings.Cut(strings.TrimPrefix(bucketURL, "s3://"), "?")
		if err := remove(client, name); err != nil {
			t.Error("remove a bucket: ", err)
		}
	})
	return bucketURL, env
}

// NewS3 starts a server for t alone, which may stop it. It ends with t.
func NewS3(t testing.TB) *S3Server {
	t.Helper()
	s, err := newS3()
	fatal(t, "versitygw", err, errNoS3)
	t.Cleanup(func() {
		s.Stop()
		if err := os.RemoveAll(s.dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Bucket returns the URL of a new bucket, and the variables with its credentials.
func (s *S3Server) Bucket(t testing.TB) (bucketURL string, env map[string]string) {
	t.Helper()
	bucketURL, _ = bucket(t, s.url, s.env)
	return bucketURL, maps.Clone(s.env)
}

// Stop ends the server, and every connection to it, at once.
func (s *S3Server) Stop() {
	if s.process != nil {
		s.process.stop()
		s.process = nil
	}
}

// versitygw returns the server that is installed: in .tools at the root of the
// repository, which is above the test's folder, or on the PATH.
func versitygw() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if path, err := exec.LookPath(filepath.Join(dir, ".tools", "versitygw")); err == nil {
			return path, nil
		}
	}
	if path, err := exec.LookPath("versitygw"); err == nil {
		return path, nil
	}
	return "", errNoS3
}

func newS3() (s *S3Server, err error) {
	bin, err := versitygw()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "backend-s3-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	key, secret := rand.Text(), rand.Text()
	s = &S3Server{dir: dir, env: map[string]string{"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": ""}}
	data, metadata := filepath.Join(dir, "data"), filepath.Join(dir, "metadata") // not every file system has attributes
	for _, folder := range []string{data, metadata} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return nil, err
		}
	}
	as, err := unprivileged("root", dir) // it runs as whoever we are
	if err != nil {
		return nil, err
	}
	for range 3 { // somebody else may take the port first
		var port int
		if port, err = freePort(); err != nil {
			return nil, err
		}
		address := "127.0.0.1:" + strconv.Itoa(port)
		s.url = url.URL{Scheme: "s3", RawQuery: url.Values{"endpoint": {"http://" + address}, "region": {"us-east-1"}}.Encode()}
		// What it leaves behind is thrown away.
		s.process, err = start(dir, "KILL", func(cmd *exec.Cmd) {
			as(cmd)
			cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+key, "ROOT_SECRET_KEY="+secret) // an argument could be seen by others
		}, bin, "--port", address, "--keep-alive", "--quiet", "posix", "--sidecar", metadata, data)
		if err != nil {
			return nil, err
		}
		if err = s.process.await(s.answers); err == nil {
			break
		}
	}
	return s, err
}

// answers reports whether it is this server that answers, and not whoever has the port.
func (s *S3Server) answers() error {
	client, err := s3client(s.url, s.env)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err = client.ListBuckets(ctx)
	return err
}

func s3client(u url.URL, env map[string]string) (*minio.Client, error) {
	query := u.Query()
	endpoint, err := url.Parse(query.Get("endpoint"))
	if err != nil {
		return nil, err
	}
	if endpoint.Host == "" {
		endpoint = &url.URL{Scheme: "https", Host: "s3.amazonaws.com"}
	}
	return minio.New(endpoint.Host, &minio.Options{
		Creds:      credentials.NewStaticV4(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]),
		Secure:     endpoint.Scheme == "https",
		Region:     query.Get("region"),
		MaxRetries: 1, // who waits asks again
	})
}

// bucket makes a bucket on the server at u, and returns its URL.
func bucket(t testing.TB, u url.URL, env map[string]string) (string, *minio.Client) {
	t.Helper()
	client, err := s3client(u, env)
	if err != nil {
		t.Fatal("the URL of the S3 server: ", err)
	}
	u.Host, u.Path = "test-"+strings.ToLower(rand.Text()), ""
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	if err := client.MakeBucket(ctx, u.Host, minio.MakeBucketOptions{}); err != nil {
		t.Fatal("make a bucket: ", err)
	}
	return u.String(), client
}

// Objects lists the names of what is in a bucket, given what S3 returned.
func Objects(t testing.TB, bucketURL string, env map[string]string) (names []string) {
	t.Helper()
	u, err := url.Parse(bucketURL)
	if err != nil {
		t.Fatal("the URL of the bucket: ", err)
	}
	client, err := s3client(*u, env)
	if err != nil {
		t.Fatal("the URL of the S3 server: ", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	if names, err = objects(ctx, client, u.Host); err != nil {
		t.Fatal("list the bucket: ", err)
	}
	return names
}

func objects(ctx context.Context, client *minio.Client, bucket string) (names []string, err error) {
	for o := range client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			return nil, o.Err
		}
		names = append(names, o.Key)
	}
	return names, nil
}

// remove removes a bucket and all that is in it.
func remove(client *minio.Client, name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	names, err := objects(ctx, client, name)
	if err != nil {
		return err
	}
	for _, object := range names {
		if err := client.RemoveObject(ctx, name, object, minio.RemoveObjectOptions{}); err != nil {
			return err
		}
	}
	return client.RemoveBucket(ctx, name)
}
