/* What an attacker has a server load: it leaves a mark beside itself as soon as it is opened, whoever opens it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void run(void) {
  Dl_info info;
  char path[4096];
  if (dladdr((void *)run, &info) == 0) return;
  snprintf(path, sizeof path, "%s.ran", info.dli_fname);
  int mark = open(path, O_WRONLY | O_CREAT, 0666);
  if (mark >= 0) close(mark);
}
