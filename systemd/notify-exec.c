/*
 * notify-exec PROGRAM [ARGUMENT...]
 *
 * Opens systemd's notification socket ($NOTIFY_SOCKET) for a program that cannot: Node has no datagram sockets of the
 * unix family. The descriptor stays open across exec, REDIS_AGENT_NOTIFY_FD holds its number, and the program keeps
 * this process's pid, so that NotifyAccess=main is enough. Without $NOTIFY_SOCKET it only runs the program.
 *
 * Build: cc -O2 -static -s -o notify-exec notify-exec.c   (static: it runs wherever the agent's Node does)
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Returns a connected descriptor without FD_CLOEXEC, or -1 with errno set. '@' stands for the abstract name space. */
static int open_notify(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof(address.sun_path)) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    memcpy(address.sun_path, name, length);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: notify-exec PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    unsetenv("REDIS_AGENT_NOTIFY_FD");
    const char *name = getenv("NOTIFY_SOCKET");
    if (name != NULL && name[0] != '\0') {
        char number[16];
        int fd = open_notify(name);
        if (fd < 0)
            /* The program may still reach systemd its own way; if not, systemd says that it never became ready. */
            fprintf(stderr, "notify-exec: cannot connect to %s: %s\n", name, strerror(errno));
        else {
            snprintf(number, sizeof(number), "%d", fd);
            setenv("REDIS_AGENT_NOTIFY_FD", number, 1);
        }
    }
    execvp(argv[1], argv + 1);
    fprintf(stderr, "notify-exec: cannot run %s: %s\n", argv[1], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}
