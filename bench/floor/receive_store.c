// Floor: what receiving an upload and publishing it costs at least on this machine. floor_receive_store PORT
// DIR epoll, one thread, keep-alive; every body goes through one buffer into a part file in DIR/.parts, which
// is then renamed to a fresh name in DIR: the system calls of the server's blocking strategy and no others.
// The measure for a server; not a server. It trusts its client and gives up at the first surprise.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kBufferBytes = 128 * 1024, kHeadBytesMax = 2048, kConnectionsMax = 4096 };

struct connection {
  uint64_t body_left;
  uint64_t body_bytes;
  int part;           // descriptor of the file being written
  unsigned number;    // its name
  size_t head_bytes;  // of a head that came in pieces
  char head[kHeadBytesMax];
};

static struct connection connections[kConnectionsMax];
static char buffer[kBufferBytes] __attribute__((aligned(4096)));
static int parts;  // directories
static int uploads;
static unsigned last_number;

static void die(const char* what) {
  perror(what);
  exit(1);
}

static int listen_on(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(fd, (const struct sockaddr*)&address, sizeof address) < 0) die("bind");
  if (listen(fd, 2048) < 0) die("listen");
  return fd;
}

static void accept_all(int listener, int epoll) {
  for (;;) {
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= kConnectionsMax) die("too many connections");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[fd].body_left = connections[fd].head_bytes = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

static uint64_t content_length(const char* head, size_t size) {
  static const char name[] = "\r\nContent-Length: ";
  const char* field = memmem(head, size, name, sizeof name - 1);
  return field ? strtoull(field + sizeof name - 1, NULL, 10) : 0;
}

static void name_of(unsigned number, char* name, size_t size) { snprintf(name, size, "%08x", number); }

static void begin_part(struct connection* c) {
  char name[16];
  c->number = ++last_number;
  name_of(c->number, name, sizeof name);
  c->part = openat(parts, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (c->part < 0) die("openat");
}

static void write_part(struct connection* c, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(c->part, data, size);
    if (written < 0) die("write");
    data += written;
    size -= (size_t)written;
  }
}

static void publish_part(struct connection* c, int fd) {
  char name[16], body[128], text[256];
  name_of(c->number, name, sizeof name);
  if (renameat2(parts, name, uploads, name, RENAME_NOREPLACE) < 0) die("renameat2");
  close(c->part);
  const int body_bytes =
      snprintf(body, sizeof body, "{\"file_path\":\"%s\",\"size\":%llu,\"durability\":\"none\"}", name,
               (unsigned long long)c->body_bytes);
  const int bytes = snprintf(
      text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
      body_bytes, body);
  if (send(fd, text, (size_t)bytes, MSG_NOSIGNAL) != bytes) die("send");
}

static void consume(int fd, const char* data, size_t size) {
  struct connection* c = &connections[fd];
  while (size > 0) {
    if (c->body_left == 0) {
      const char* end = memmem(data, size, "\r\n\r\n", 4);
      if (!end) {
        if (size > kHeadBytesMax) die("head too long");
        memcpy(c->head, data, c->head_bytes = size);
        return;
      }
      const size_t head = (size_t)(end - data) + 4;
      c->body_left = c->body_bytes = content_length(data, head);
      begin_part(c);
      data += head;
      size -= head;
    }
    const size_t take = size < c->body_left ? size : (size_t)c->body_left;
    write_part(c, data, take);
    data += take;
    size -= take;
    c->body_left -= take;
    if (c->body_left == 0) publish_part(c, fd);
  }
}

static void on_readable(int fd) {
  struct connection* c = &connections[fd];
  for (;;) {
    const size_t kept = c->head_bytes;
    if (kept > 0) memcpy(buffer, c->head, kept);
    c->head_bytes = 0;
    const ssize_t got = recv(fd, buffer + kept, kBufferBytes - kept, 0);
    if (got <= 0) {
      c->head_bytes = kept;
      if (got == 0 || errno != EAGAIN) close(fd);
      return;
    }
    consume(fd, buffer, kept + (size_t)got);
    if (kept + (size_t)got < kBufferBytes) return;  // a short read: nothing more is there
  }
}

int main(int argc, char** argv) {
  if (argc != 3) return fprintf(stderr, "usage: %s PORT DIR\n", argv[0]), 2;
  signal(SIGPIPE, SIG_IGN);
  uploads = open(argv[2], O_DIRECTORY | O_PATH | O_CLOEXEC);
  if (uploads < 0) die(argv[2]);
  mkdirat(uploads, ".parts", 0700);
  parts = openat(uploads, ".parts", O_DIRECTORY | O_PATH | O_CLOEXEC);
  const int listener = listen_on((uint16_t)atoi(argv[1]));
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    struct epoll_event events[256];
    const int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == listener) {
        accept_all(listener, epoll);
      } else {
        on_readable(events[i].data.fd);
      }
    }
  }
}
