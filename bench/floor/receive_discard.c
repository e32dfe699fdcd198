// Floor: what receiving a request body costs at least on this machine. floor_receive_discard PORT
// epoll, one thread, keep-alive; every body is read into one buffer and forgotten. The measure for a server
// that reads bodies; not a server. It trusts its client and gives up at the first surprise.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kBufferBytes = 128 * 1024, kHeadBytesMax = 2048, kConnectionsMax = 4096 };

struct connection {
  uint64_t body_left;
  size_t head_bytes;  // of a head that came in pieces
  char head[kHeadBytesMax];
};

static struct connection connections[kConnectionsMax];
static char buffer[kBufferBytes] __attribute__((aligned(4096)));

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

static void answer(int fd) {
  static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  if (send(fd, text, sizeof text - 1, MSG_NOSIGNAL) != sizeof text - 1) die("send");
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
      c->body_left = content_length(data, head);
      data += head;
      size -= head;
    }
    const size_t take = size < c->body_left ? size : (size_t)c->body_left;
    data += take;
    size -= take;
    c->body_left -= take;
    if (c->body_left == 0) answer(fd);
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
  if (argc != 2) return fprintf(stderr, "usage: %s PORT\n", argv[0]), 2;
  signal(SIGPIPE, SIG_IGN);
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
