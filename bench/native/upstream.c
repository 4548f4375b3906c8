// A model that answers at once: one epoll loop, whole answers and streams, so that a proxy in front of it is what
// is measured.  Listens on 127.0.0.1 only.
//
//   upstream PORT WHOLE STREAM PACE_MS
//
// WHOLE is a file with a complete HTTP answer.  STREAM holds the pieces of a streamed one, each followed by a NUL.
// A request whose body says "stream":true gets the pieces; where it also says "paced", one piece each PACE_MS.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 8192, ROOM = 256 * 1024, PIECES = 4096 };

typedef struct {
    char *data;    // what was received and not yet answered
    size_t length;
    int sent;      // pieces of a paced stream already sent; 0 while none runs
    double due;    // when the next one is due, seconds
} Connection;

static Connection connections[CONNECTIONS];
static int paced[CONNECTIONS], paced_count;
static char *whole, *pieces[PIECES];
static size_t whole_length, piece_length[PIECES];
static int piece_count;
static double pace;

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec * 1e-9;
}

static char *slurp(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (!file) { perror(path); exit(1); }
    fseek(file, 0, SEEK_END);
    *length = ftell(file);
    rewind(file);
    char *data = malloc(*length + 1);
    if (fread(data, 1, *length, file) != *length) { perror(path); exit(1); }
    data[*length] = 0;
    fclose(file);
    return data;
}

static void send_all(int fd, const char *data, size_t length) {
    while (length) {
        ssize_t done = write(fd, data, length);
        if (done > 0) { data += done; length -= done; }
        else if (done < 0 && errno == EAGAIN) usleep(50);
        else return;  // the client has gone; reading will say so
    }
}

static void stop_pacing(int fd) {
    connections[fd].sent = 0;
    for (int at = 0; at < paced_count; at++)
        if (paced[at] == fd) { paced[at] = paced[--paced_count]; return; }
}

static void drop(int fd) {
    stop_pacing(fd);
    close(fd);
    free(connections[fd].data);
    connections[fd] = (Connection){0};
}

// Answer every whole request that has been received.
static void answer(int fd) {
    Connection *one = &connections[fd];
    while (!one->sent && one->length >= 4) {
        one->data[one->length] = 0;
        char *end = memmem(one->data, one->length, "\r\n\r\n", 4);
        if (!end) return;
        size_t head = end - one->data + 4;
        *end = 0;
        char *field = strcasestr(one->data, "\r\ncontent-length:");
        size_t total = head + (field ? strtoul(field + 17, 0, 10) : 0);
        *end = '\r';
        if (one->length < total) return;
        char *body = one->data + head;
        int is_stream = memmem(body, total - head, "\"stream\":true", 13) || memmem(body, total - head, "\"stream\": true", 14);
        int is_paced = is_stream && memmem(body, total - head, "paced", 5);
        memmove(one->data, one->data + total, one->length - total);
        one->length -= total;
        if (!is_stream) send_all(fd, whole, whole_length);
        else if (is_paced) {
            send_all(fd, pieces[0], piece_length[0]);
            one->sent = 1;
            one->due = now() + pace;
            paced[paced_count++] = fd;
        } else
            for (int at = 0; at < piece_count; at++) send_all(fd, pieces[at], piece_length[at]);
    }
}

static void take_new(int listener, int epoll) {
    for (int fd; (fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;) {
        int yes = 1;
        if (fd >= CONNECTIONS) { close(fd); continue; }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        connections[fd] = (Connection){.data = malloc(ROOM + 1)};
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static void send_due(void) {
    double at = now();
    for (int index = 0; index < paced_count;) {
        int fd = paced[index];
        Connection *one = &connections[fd];
        if (one->due > at) { index++; continue; }
        send_all(fd, pieces[one->sent], piece_length[one->sent]);
        one->due += pace;
        if (++one->sent < piece_count) { index++; continue; }
        stop_pacing(fd);
        answer(fd);
    }
}

static int milliseconds_to_next(void) {
    if (!paced_count) return -1;
    double soonest = connections[paced[0]].due;
    for (int at = 1; at < paced_count; at++)
        if (connections[paced[at]].due < soonest) soonest = connections[paced[at]].due;
    int wait = (int)((soonest - now()) * 1000 + 0.5);
    return wait < 0 ? 0 : wait;
}

int main(int count, char **words) {
    if (count != 5) { fprintf(stderr, "upstream PORT WHOLE STREAM PACE_MS\n"); return 2; }
    signal(SIGPIPE, SIG_IGN);
    size_t length;
    whole = slurp(words[2], &whole_length);
    char *stream = slurp(words[3], &length);
    for (char *at = stream; at < stream + length && piece_count < PIECES; at += piece_length[piece_count++] + 1) {
        pieces[piece_count] = at;
        piece_length[piece_count] = strlen(at);
    }
    pace = atof(words[4]) / 1000;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (void *)&place, sizeof place) || listen(listener, 4096)) { perror("bind"); return 1; }
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[512];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, 512, milliseconds_to_next());
        for (int at = 0; at < ready; at++) {
            int fd = events[at].data.fd;
            if (fd == listener) { take_new(listener, epoll); continue; }
            Connection *one = &connections[fd];
            ssize_t got = read(fd, one->data + one->length, ROOM - one->length);
            if (got < 0 && errno == EAGAIN) continue;
            if (got <= 0) { drop(fd); continue; }
            one->length += got;
            answer(fd);
        }
        send_due();
    }
}
