// What the floor programs share: one listening socket on the loopback, epoll, one thread, keep-alive. A
// program is this, and what it does when a connection comes and when it is ready.
#pragma once

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

static void on_accept(int fd);
static void on_event(int fd, uint32_t events);

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

static void watch(int epoll, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(int listener, int epoll, uint32_t events) {
  for (;;) {
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= kConnectionsMax) die("too many connections");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    on_accept(fd);
    watch(epoll, fd, events);
  }
}

// For ever. A connection is watched for `connection_events`.
static void serve(const char* port, uint32_t connection_events) {
  signal(SIGPIPE, SIG_IGN);
  const int listener = listen_on((uint16_t)atoi(port));
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener, EPOLLIN);
  for (;;) {
    struct epoll_event events[256];
    const int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == listener) {
        accept_all(listener, epoll, connection_events);
      } else {
        on_event(events[i].data.fd, events[i].events);
      }
    }
  }
}
