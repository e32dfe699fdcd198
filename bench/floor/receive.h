// What the floor programs that receive share: every body is read through one buffer. A program says what it
// does with a body. They trust their client and give up at the first surprise.
#pragma once

#include "bench/floor/floor.h"

static void begin_body(int fd, uint64_t size);
static void take_body(int fd, const char* data, size_t size);
static void end_body(int fd);

static struct {
  uint64_t body_left;
  size_t head_bytes;  // of a head that came in pieces
  char head[kHeadBytesMax];
} connections[kConnectionsMax];
static char buffer[kBufferBytes] __attribute__((aligned(4096)));

static void on_accept(int fd) { connections[fd].body_left = connections[fd].head_bytes = 0; }

static uint64_t content_length(const char* head, size_t size) {
  static const char name[] = "\r\nContent-Length: ";
  const char* field = memmem(head, size, name, sizeof name - 1);
  return field ? strtoull(field + sizeof name - 1, NULL, 10) : 0;
}

static void consume(int fd, const char* data, size_t size) {
  uint64_t* body_left = &connections[fd].body_left;
  while (size > 0) {
    if (*body_left == 0) {
      const char* end = memmem(data, size, "\r\n\r\n", 4);
      if (!end) {
        if (size > kHeadBytesMax) die("head too long");
        memcpy(connections[fd].head, data, connections[fd].head_bytes = size);
        return;
      }
      const size_t head = (size_t)(end - data) + 4;
      *body_left = content_length(data, head);
      begin_body(fd, *body_left);
      data += head;
      size -= head;
    }
    const size_t take = size < *body_left ? size : (size_t)*body_left;
    take_body(fd, data, take);
    data += take;
    size -= take;
    *body_left -= take;
    if (*body_left == 0) end_body(fd);
  }
}

static void on_event(int fd, uint32_t events) {
  (void)events;
  for (;;) {
    const size_t kept = connections[fd].head_bytes;
    if (kept > 0) memcpy(buffer, connections[fd].head, kept);
    connections[fd].head_bytes = 0;
    const ssize_t got = recv(fd, buffer + kept, kBufferBytes - kept, 0);
    if (got <= 0) {
      connections[fd].head_bytes = kept;
      if (got == 0 || errno != EAGAIN) close(fd);
      return;
    }
    consume(fd, buffer, kept + (size_t)got);
    if (kept + (size_t)got < kBufferBytes) return;  // a short read: nothing more is there
  }
}
