// Floor: what receiving a request body costs at least on this machine. floor_receive_discard PORT
// Every body is read into one buffer and forgotten. The measure for a server that reads bodies; not a server.
#include "bench/floor/receive.h"

static void begin_body(int fd, uint64_t size) { (void)fd, (void)size; }

static void take_body(int fd, const char* data, size_t size) { (void)fd, (void)data, (void)size; }

static void end_body(int fd) {
  static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  if (send(fd, text, sizeof text - 1, MSG_NOSIGNAL) != sizeof text - 1) die("send");
}

int main(int argc, char** argv) {
  if (argc != 2) return fprintf(stderr, "usage: %s PORT\n", argv[0]), 2;
  serve(argv[1], EPOLLIN);
}
