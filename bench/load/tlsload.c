/*
 * tlsload: many TLS handshakes from one thread, each on a connection of its own, each followed by one GET. Names are
 * hNNNNN.example.test; every leaf's common name is compared with the SNI that was sent. One line of JSON comes out.
 *
 *   -p PORT      on 127.0.0.1
 *   -n COUNT     connections in all (default 1000)
 *   -c COUNT     connections at a time (default 16)
 *   -N NAMES     how many names are asked for, one after the other (default 1)
 *   -o OFFSET    number of the first name (default 0)
 *   -R           names at random instead
 *   -r           resume: the first round over all names is full, the others present the last ticket
 *   -2           TLS 1.2 at most
 *   -k           handshake only, no request
 *   -g GROUPS    key exchange groups
 *   -w MS        each of the connections at a time rests this long after it closed (default 0)
 *   -t SECONDS   end then (default 30); SIGTERM ends it too, and the result is of the connections until then
 *   -P PID,...   processes whose CPU time is reported, from schedstat
 *
 * Out: ok, err (no handshake or no answer), bad (another name's certificate), reused (resumed), ms (in all), rate (a second),
 * p50, p99, max (milliseconds from connect() to the end of the handshake, and a50, a99, amax to the end of the answer),
 * cli_us, srv_us (CPU microseconds a connection, of this process and of PIDs), e (first error).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
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

enum { MAX_EVENTS = 256, NAME_SIZE = 64 };

typedef struct {
  int port, count, concurrency, names, offset;
  int random_names, resume, tls12, handshake_only;
  double rest_ms, limit_s;
  const char *pids, *groups;
} Options;

typedef struct {
  int fd; /* -1 = free */
  int name;
  int greeted; /* the handshake is over */
  int received;
  double started_ms;
  double free_at_ms; /* not used again before */
  SSL *ssl;
} Connection;

typedef struct {
  int started, done, ok, failed, wrong, reused, handshakes, answers;
  double *handshake_ms, *answer_ms;
  char first_error[128];
} Totals;

static Options options = {.count = 1000, .concurrency = 16, .names = 1, .limit_s = 30, .pids = ""};
static Totals totals;
static SSL_SESSION **sessions; /* by name: the last ticket */
static int connection_index;   /* of the Connection in an SSL's extra data */
static volatile sig_atomic_t ending;

static void end_soon(int signal_number) {
  (void)signal_number;
  ending = 1;
}

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* CPU microseconds that one thread has used. */
static double thread_cpu(const char *pid, const char *thread) {
  char path[600];
  unsigned long long nanoseconds = 0;
  snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid, thread);
  FILE *file = fopen(path, "r");
  if (!file)
    return 0;
  if (fscanf(file, "%llu", &nanoseconds) != 1)
    nanoseconds = 0;
  fclose(file);
  return nanoseconds / 1e3;
}

/* CPU microseconds that the processes "PID,PID" have used, all threads together. */
static double server_cpu(const char *pids) {
  double sum = 0;
  char *copy = strdup(pids);
  for (char *pid = strtok(copy, ","); pid; pid = strtok(NULL, ",")) {
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    DIR *threads = opendir(path);
    if (!threads)
      continue;
    for (struct dirent *entry; (entry = readdir(threads));)
      if (entry->d_name[0] != '.')
        sum += thread_cpu(pid, entry->d_name);
    closedir(threads);
  }
  free(copy);
  return sum;
}

static double own_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int by_value(const void *left, const void *right) {
  double difference = *(const double *)left - *(const double *)right;
  return difference < 0 ? -1 : difference > 0;
}

/* Certificates are compared by name; who signed them does not matter here. */
static int accept_any(X509_STORE_CTX *store, void *argument) {
  (void)store, (void)argument;
  return 1;
}

/* A copy is kept: closing without close_notify marks the original as not resumable. */
static int keep_session(SSL *ssl, SSL_SESSION *session) {
  Connection *connection = SSL_get_ex_data(ssl, connection_index);
  SSL_SESSION_free(sessions[connection->name]);
  sessions[connection->name] = SSL_SESSION_dup(session);
  return 0;
}

static void host_name(const Connection *connection, char host[NAME_SIZE]) {
  snprintf(host, NAME_SIZE, "h%05d.example.test", options.offset + connection->name);
}

static SSL_CTX *create_context(void) {
  static const unsigned char alpn[] = "\x08http/1.1";
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_cert_verify_callback(context, accept_any, NULL);
  if (options.tls12)
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (options.groups)
    SSL_CTX_set1_groups_list(context, options.groups);
  SSL_CTX_set_alpn_protos(context, alpn, sizeof alpn - 1);
  if (options.resume) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
  }
  return context;
}

static int next_name(void) {
  static unsigned long seed = 88172645463325252UL; /* xorshift */
  if (!options.random_names)
    return totals.started % options.names;
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed % options.names;
}

static void present_ticket(Connection *connection) {
  if (!options.resume || !sessions[connection->name])
    return;
  SSL_SESSION *copy = SSL_SESSION_dup(sessions[connection->name]);
  SSL_set_session(connection->ssl, copy);
  SSL_SESSION_free(copy);
}

static void open_connection(Connection *connection, SSL_CTX *context, int epoll) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int on = 1;
  char host[NAME_SIZE];
  connection->name = next_name();
  connection->received = connection->greeted = 0;
  connection->started_ms = now_ms();
  totals.started++;
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
    close(connection->fd);
    connection->fd = -1;
    totals.done++;
    totals.failed++;
    return;
  }
  connection->ssl = SSL_new(context);
  SSL_set_ex_data(connection->ssl, connection_index, connection);
  SSL_set_fd(connection->ssl, connection->fd);
  host_name(connection, host);
  SSL_set_tlsext_host_name(connection->ssl, host);
  present_ticket(connection);
  SSL_set_connect_state(connection->ssl);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
  epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event);
}

static void close_connection(Connection *connection, int failed) {
  if (failed)
    totals.failed++;
  else {
    totals.ok++;
    totals.answer_ms[totals.answers++] = now_ms() - connection->started_ms;
  }
  SSL_free(connection->ssl);
  close(connection->fd);
  connection->fd = -1;
  connection->free_at_ms = now_ms() + options.rest_ms;
  totals.done++;
}

static void check_name(const Connection *connection, const char *host) {
  char name[NAME_SIZE] = "";
  X509 *leaf = SSL_get0_peer_certificate(connection->ssl);
  if (leaf)
    X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, name, sizeof name);
  if (strcmp(name, host) != 0)
    totals.wrong++;
}

/* Goes on with the handshake; when it is over, checks the certificate and sends the request. */
static void greet(Connection *connection) {
  char host[NAME_SIZE], request[160];
  ERR_clear_error();
  int result = SSL_do_handshake(connection->ssl);
  if (result != 1) {
    int error = SSL_get_error(connection->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
      return;
    if (!*totals.first_error) {
      const char *reason = ERR_reason_error_string(ERR_peek_error());
      snprintf(totals.first_error, sizeof totals.first_error, "%s/%d", reason ? reason : "io", errno);
    }
    close_connection(connection, 1);
    return;
  }
  totals.handshake_ms[totals.handshakes++] = now_ms() - connection->started_ms;
  totals.reused += SSL_session_reused(connection->ssl);
  host_name(connection, host);
  check_name(connection, host);
  if (options.handshake_only) {
    SSL_shutdown(connection->ssl);
    close_connection(connection, 0);
    return;
  }
  int length = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
  SSL_write(connection->ssl, request, length);
  connection->greeted = 1;
}

/* Reads until the server closes. */
static void read_answer(Connection *connection) {
  char buffer[8192];
  int length;
  while ((length = SSL_read(connection->ssl, buffer, sizeof buffer)) > 0)
    connection->received += length;
  if (SSL_get_error(connection->ssl, length) != SSL_ERROR_WANT_READ)
    close_connection(connection, connection->received == 0);
}

static void serve_event(Connection *connection) {
  if (connection->fd >= 0 && !connection->greeted)
    greet(connection);
  if (connection->fd >= 0 && connection->greeted)
    read_answer(connection);
}

static void open_free_connections(Connection *connections, SSL_CTX *context, int epoll) {
  for (int at = 0; at < options.concurrency && totals.started < options.count; at++) {
    if (connections[at].fd >= 0 || connections[at].free_at_ms > now_ms())
      continue;
    if (options.resume && totals.started >= options.names && totals.done < options.names)
      return; /* every name gets its first ticket before any is used */
    open_connection(&connections[at], context, epoll);
  }
}

static void run(SSL_CTX *context) {
  struct epoll_event events[MAX_EVENTS];
  int epoll = epoll_create1(0);
  double end = now_ms() + options.limit_s * 1e3;
  Connection *connections = calloc(options.concurrency, sizeof *connections);
  for (int at = 0; at < options.concurrency; at++) {
    connections[at].fd = -1;
    connections[at].free_at_ms = now_ms() + options.rest_ms * at / options.concurrency; /* spread, not in step */
  }
  while (!ending && totals.done < options.count && now_ms() < end) {
    open_free_connections(connections, context, epoll);
    int count = epoll_wait(epoll, events, MAX_EVENTS, options.rest_ms > 0 ? 1 : 100);
    for (int at = 0; at < count; at++)
      serve_event(events[at].data.ptr);
  }
}

static void read_options(int count, char **arguments) {
  for (int option; (option = getopt(count, arguments, "p:n:c:N:o:Rr2kt:P:g:w:")) > 0;)
    switch (option) {
    case 'p': options.port = atoi(optarg); break;
    case 'n': options.count = atoi(optarg); break;
    case 'c': options.concurrency = atoi(optarg); break;
    case 'N': options.names = atoi(optarg); break;
    case 'o': options.offset = atoi(optarg); break;
    case 'R': options.random_names = 1; break;
    case 'r': options.resume = 1; break;
    case '2': options.tls12 = 1; break;
    case 'k': options.handshake_only = 1; break;
    case 't': options.limit_s = atof(optarg); break;
    case 'P': options.pids = optarg; break;
    case 'g': options.groups = optarg; break;
    case 'w': options.rest_ms = atof(optarg); break;
    default: exit(2);
    }
}

static double part_of(double *sorted, int count, double part) {
  return count ? sorted[(int)((count - 1) * part)] : 0;
}

static void print_result(double took_ms, double client_us, double server_us) {
  int per = totals.ok ? totals.ok : 1;
  double *h = totals.handshake_ms, *a = totals.answer_ms;
  qsort(h, totals.handshakes, sizeof *h, by_value);
  qsort(a, totals.answers, sizeof *a, by_value);
  printf("{\"ok\":%d,\"err\":%d,\"bad\":%d,\"reused\":%d,\"ms\":%.0f,\"rate\":%.0f,", totals.ok, totals.failed, totals.wrong,
         totals.reused, took_ms, totals.ok / took_ms * 1e3);
  printf("\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f,", part_of(h, totals.handshakes, .5), part_of(h, totals.handshakes, .99),
         part_of(h, totals.handshakes, 1));
  printf("\"a50\":%.2f,\"a99\":%.2f,\"amax\":%.2f,", part_of(a, totals.answers, .5), part_of(a, totals.answers, .99),
         part_of(a, totals.answers, 1));
  printf("\"cli_us\":%.1f,\"srv_us\":%.1f", client_us / per, server_us / per);
  if (*totals.first_error)
    printf(",\"e\":\"%s\"", totals.first_error);
  printf("}\n");
}

int main(int count, char **arguments) {
  read_options(count, arguments);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, end_soon);
  connection_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
  sessions = calloc(options.names, sizeof *sessions);
  totals.handshake_ms = calloc(options.count + 1, sizeof(double));
  totals.answer_ms = calloc(options.count + 1, sizeof(double));
  SSL_CTX *context = create_context();
  double started = now_ms(), client = own_cpu(), server = server_cpu(options.pids);
  run(context);
  print_result(now_ms() - started, own_cpu() - client, server_cpu(options.pids) - server);
  return 0;
}
