// Floor: what receiving an upload and publishing it costs at least on this machine. floor_receive_store PORT
// DIR: every body goes through one buffer into a part file in DIR/.parts, which is then renamed to a fresh
// name in DIR: the system calls of the server's blocking strategy and no others. The measure for a server;
// not a server.
#include "bench/floor/receive.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct {
  uint64_t body_bytes;
  int fd;           // of the file being written
  unsigned number;  // its name
} part_of[kConnectionsMax];
static int parts;  // directories
static int uploads;
static unsigned last_number;

static void name_of(unsigned number, char* name, size_t size) { snprintf(name, size, "%08x", number); }

static void begin_body(int fd, uint64_t size) {
  char name[16];
  part_of[fd].body_bytes = size;
  part_of[fd].number = ++last_number;
  name_of(part_of[fd].number, name, sizeof name);
  part_of[fd].fd = openat(parts, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (part_of[fd].fd < 0) die("openat");
}

static void take_body(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(part_of[fd].fd, data, size);
    if (written < 0) die("write");
    data += written;
    size -= (size_t)written;
  }
}

static void end_body(int fd) {
  char name[16], body[128], text[256];
  name_of(part_of[fd].number, name, sizeof name);
  if (renameat2(parts, name, uploads, name, RENAME_NOREPLACE) < 0) die("renameat2");
  close(part_of[fd].fd);
  const int body_bytes =
      snprintf(body, sizeof body, "{\"file_path\":\"%s\",\"size\":%llu,\"durability\":\"none\"}", name,
               (unsigned long long)part_of[fd].body_bytes);
  const int bytes = snprintf(
      text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
      body_bytes, body);
  if (send(fd, text, (size_t)bytes, MSG_NOSIGNAL) != bytes) die("send");
}

int main(int argc, char** argv) {
  if (argc != 3) return fprintf(stderr, "usage: %s PORT DIR\n", argv[0]), 2;
  uploads = open(argv[2], O_DIRECTORY | O_PATH | O_CLOEXEC);
  if (uploads < 0) die(argv[2]);
  mkdirat(uploads, ".parts", 0700);
  parts = openat(uploads, ".parts", O_DIRECTORY | O_PATH | O_CLOEXEC);
  serve(argv[1], EPOLLIN);
}
