// A process whose first thread has ended while another one holds its port until our input ends: as a server's are for a moment, when it ends.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *linger(void *unused) {
  getchar();
  return unused;
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  pthread_t thread;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
      getsockname(listener, (struct sockaddr *)&address, &size) || pthread_create(&thread, NULL, linger, NULL))
    return 1;
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  syscall(SYS_exit, 0);
  return 0;
}
