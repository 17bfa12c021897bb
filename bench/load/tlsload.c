// tlsload: epoll TLS load generator/prober. gcc -O2 -o tlsload tlsload.c -lssl -lcrypto
// -p port -n total -c conc -N names -o offset -R(random) -r(resume) -2(TLS1.2) -k(handshake only) -g groups -t maxsec
// -P pid,pid (server CPU, ns, from schedstat) Checks that the leaf's CN equals the SNI sent. One JSON line out.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
typedef struct {
  int fd, idx, st;
  SSL *s;
  double t0;
  int got;
} C;
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}
static SSL_SESSION **sess;
static int EX;
static int newsess(SSL *s, SSL_SESSION *x) {
  C *c = SSL_get_ex_data(s, EX);
  if (sess[c->idx])
    SSL_SESSION_free(sess[c->idx]);
  sess[c->idx] = SSL_SESSION_dup(x);
  return 0;
} // dup: an unclean close marks the original not resumable
static double cpu(char *pids) {
  double t = 0;
  char *d = strdup(pids), *p;
  for (p = strtok(d, ","); p; p = strtok(0, ",")) {
    char f[300];
    snprintf(f, 300, "/proc/%s/task", p);
    DIR *D = opendir(f);
    struct dirent *e;
    if (!D)
      continue;
    while ((e = readdir(D)))
      if (e->d_name[0] != '.') {
        char g[600];
        snprintf(g, 600, "%s/%s/schedstat", f, e->d_name);
        FILE *F = fopen(g, "r");
        unsigned long long v = 0;
        if (F) {
          if (fscanf(F, "%llu", &v) == 1)
            t += v / 1e3;
          fclose(F);
        }
      }
    closedir(D);
  }
  free(d);
  return t;
}
static int cmp(const void *a, const void *b) {
  double x = *(double *)a - *(double *)b;
  return x < 0 ? -1 : x > 0;
}
static int yes(X509_STORE_CTX *a, void *b) { return 1; }
int main(int ac, char **av) {
  int port = 0, n = 1000, conc = 16, N = 1, off = 0, R = 0, res = 0, v12 = 0, hs = 0, o;
  double maxs = 30;
  char *P = "", *grp = 0;
  while ((o = getopt(ac, av, "p:n:c:N:o:Rr2kt:P:g:")) > 0)
    switch (o) {
    case 'p':
      port = atoi(optarg);
      break;
    case 'n':
      n = atoi(optarg);
      break;
    case 'c':
      conc = atoi(optarg);
      break;
    case 'N':
      N = atoi(optarg);
      break;
    case 'o':
      off = atoi(optarg);
      break;
    case 'R':
      R = 1;
      break;
    case 'r':
      res = 1;
      break;
    case '2':
      v12 = 1;
      break;
    case 'k':
      hs = 1;
      break;
    case 't':
      maxs = atof(optarg);
      break;
    case 'P':
      P = optarg;
      break;
    case 'g':
      grp = optarg;
    }
  signal(SIGPIPE, SIG_IGN);
  SSL_CTX *x = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_cert_verify_callback(x, yes, 0);
  if (v12)
    SSL_CTX_set_max_proto_version(x, TLS1_2_VERSION);
  if (grp)
    SSL_CTX_set1_groups_list(x, grp);
  static const unsigned char alpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(x, alpn, 9);
  EX = SSL_get_ex_new_index(0, 0, 0, 0, 0);
  sess = calloc(N, sizeof *sess);
  if (res) {
    SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(x, newsess);
  }
  C *c = calloc(conc, sizeof *c);
  double *lat = calloc(n + 1, 8);
  int ep = epoll_create1(0), started = 0, done = 0, live = 0, ok = 0, err = 0, reused = 0, bad = 0, nl = 0;
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  double T0 = now(), s0 = cpu(P);
  struct rusage r0, r1;
  getrusage(RUSAGE_SELF, &r0);
  char firsterr[128] = "";
  for (int i = 0; i < conc; i++)
    c[i].fd = -1;
  struct epoll_event ev[256];
  unsigned long seed = 88172645463325252UL;
  while (done < n && now() - T0 < maxs * 1e3) {
    for (int i = 0; i < conc && started < n; i++)
      if (c[i].fd < 0) {
        C *k = &c[i];
        if (res && started >= N && done < N)
          break; // first pass: fill sessions, then go wide
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        k->idx = R ? seed % N : started % N;
        k->got = 0;
        k->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        int one = 1;
        setsockopt(k->fd, IPPROTO_TCP, TCP_NODELAY, &one, 4);
        k->t0 = now();
        if (connect(k->fd, (void *)&a, sizeof a) < 0 && errno != EINPROGRESS) {
          close(k->fd);
          k->fd = -1;
          started++;
          done++;
          err++;
          continue;
        }
        k->s = SSL_new(x);
        SSL_set_ex_data(k->s, EX, k);
        SSL_set_fd(k->s, k->fd);
        char h[64];
        snprintf(h, 64, "h%05d.example.test", off + k->idx);
        SSL_set_tlsext_host_name(k->s, h);
        if (res && sess[k->idx]) {
          SSL_SESSION *d = SSL_SESSION_dup(sess[k->idx]);
          SSL_set_session(k->s, d);
          SSL_SESSION_free(d);
        }
        SSL_set_connect_state(k->s);
        k->st = 0;
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = k};
        epoll_ctl(ep, EPOLL_CTL_ADD, k->fd, &e);
        started++;
        live++;
      }
    int m = epoll_wait(ep, ev, 256, 100);
    for (int j = 0; j < m; j++) {
      C *k = ev[j].data.ptr;
      int fin = 0, fail = 0, r;
      if (k->fd < 0)
        continue;
      if (k->st == 0) {
        ERR_clear_error();
        r = SSL_do_handshake(k->s);
        if (r == 1) {
          lat[nl++] = now() - k->t0;
          if (SSL_session_reused(k->s))
            reused++;
          X509 *l = SSL_get0_peer_certificate(k->s);
          char cn[64] = "", h[64];
          snprintf(h, 64, "h%05d.example.test", off + k->idx);
          if (l)
            X509_NAME_get_text_by_NID(X509_get_subject_name(l), NID_commonName, cn, 64);
          if (strcmp(cn, h))
            bad++;
          if (hs) {
            SSL_shutdown(k->s);
            fin = 1;
          } else {
            char q[160];
            int z = snprintf(q, 160, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", h);
            SSL_write(k->s, q, z);
            k->st = 1;
          }
        } else {
          int e = SSL_get_error(k->s, r);
          if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) {
            fail = 1;
            if (!*firsterr)
              snprintf(firsterr, 128, "%s/%d", ERR_reason_error_string(ERR_peek_error()) ?: "io", errno);
          }
        }
      }
      if (k->st == 1) {
        char b[8192];
        while ((r = SSL_read(k->s, b, sizeof b)) > 0)
          k->got += r;
        int e = SSL_get_error(k->s, r);
        if (e == SSL_ERROR_WANT_READ)
          ;
        else if (k->got > 0)
          fin = 1;
        else
          fail = 1;
      }
      if (fin || fail) {
        fin ? ok++ : err++;
        SSL_free(k->s);
        close(k->fd);
        k->fd = -1;
        done++;
        live--;
      }
    }
  }
  double w = now() - T0, s1 = cpu(P);
  getrusage(RUSAGE_SELF, &r1);
  double cc = (r1.ru_utime.tv_sec - r0.ru_utime.tv_sec + r1.ru_stime.tv_sec - r0.ru_stime.tv_sec) * 1e6 +
              (r1.ru_utime.tv_usec - r0.ru_utime.tv_usec + r1.ru_stime.tv_usec - r0.ru_stime.tv_usec);
  qsort(lat, nl, 8, cmp);
  int d = ok ? ok : 1;
  printf("{\"ok\":%d,\"err\":%d,\"bad\":%d,\"reused\":%d,\"ms\":%.0f,\"rate\":%.0f,\"p50\":%.2f,\"p99\":%.2f,\"max\":%."
         "2f,\"cli_us\":%.1f,\"srv_us\":%.1f%s%s%s}\n",
         ok, err, bad, reused, w, ok / w * 1e3, nl ? lat[nl / 2] : 0, nl ? lat[(int)(nl * .99)] : 0,
         nl ? lat[nl - 1] : 0, cc / d, (s1 - s0) / d, *firsterr ? ",\"e\":\"" : "", firsterr, *firsterr ? "\"" : "");
  return 0;
}
