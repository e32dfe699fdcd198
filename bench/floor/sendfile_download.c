// Floor: what sending a file costs at least on this machine. floor_sendfile_download PORT DIR
// GET /files/NAME opens DIR/NAME beneath DIR, sends a head and the file by sendfile and closes it: the system
// calls of the server's sendfile strategy and no others. The measure for a server; not a server. It trusts
// its client and gives up at the first surprise.
#include "bench/floor/floor.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct connection {
  int file;  // descriptor of the file being sent; -1 between requests
  off_t offset;
  off_t size;
  size_t head_bytes;  // of a request head that came in pieces
  char head[kHeadBytesMax];
};

static struct connection connections[kConnectionsMax];
static int root;

static void on_accept(int fd) {
  connections[fd].file = -1;
  connections[fd].head_bytes = 0;
}

static void open_file(struct connection* c) {
  static const char prefix[] = "GET /files/";
  if (memcmp(c->head, prefix, sizeof prefix - 1) != 0) die("not a GET below /files/");
  char* name = c->head + sizeof prefix - 1;
  *strchr(name, ' ') = '\0';
  struct open_how how = {.flags = O_RDONLY | O_CLOEXEC,
                         .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  c->file = (int)syscall(SYS_openat2, root, name, &how, sizeof how);
  if (c->file < 0) die(name);
  struct stat status;
  if (fstat(c->file, &status) < 0) die("fstat");
  c->offset = 0;
  c->size = status.st_size;
}

static void send_head(struct connection* c, int fd) {
  char text[256];
  const int bytes =
      snprintf(text, sizeof text,
               "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %lld\r\n\r\n",
               (long long)c->size);
  if (send(fd, text, (size_t)bytes, MSG_MORE | MSG_NOSIGNAL) != bytes) die("send");
}

static void close_connection(struct connection* c, int fd) {
  if (c->file >= 0) close(c->file);
  close(fd);
}

/// Whether the file is out; otherwise the socket is full (or gone, and closed).
static int send_file(struct connection* c, int fd) {
  while (c->offset < c->size) {
    const ssize_t sent = sendfile(fd, c->file, &c->offset, (size_t)(c->size - c->offset));
    if (sent > 0) continue;
    if (errno != EAGAIN) close_connection(c, fd);
    return 0;
  }
  close(c->file);
  c->file = -1;
  return 1;
}

static void on_event(int fd, uint32_t events) {
  struct connection* c = &connections[fd];
  if (c->file >= 0 && !send_file(c, fd)) return;
  if (!(events & EPOLLIN)) return;
  const ssize_t got = recv(fd, c->head + c->head_bytes, kHeadBytesMax - 1 - c->head_bytes, 0);
  if (got <= 0) {
    if (got == 0 || errno != EAGAIN) close_connection(c, fd);
    return;
  }
  c->head_bytes += (size_t)got;
  c->head[c->head_bytes] = '\0';
  if (!strstr(c->head, "\r\n\r\n")) return;
  c->head_bytes = 0;
  open_file(c);
  send_head(c, fd);
  send_file(c, fd);
}

int main(int argc, char** argv) {
  if (argc != 3) return fprintf(stderr, "usage: %s PORT DIR\n", argv[0]), 2;
  root = open(argv[2], O_DIRECTORY | O_PATH | O_CLOEXEC);
  if (root < 0) die(argv[2]);
  serve(argv[1], EPOLLIN | EPOLLOUT | EPOLLET);
}
