// Asks again and again on kept connections and says how long each exchange took.  127.0.0.1 only, one epoll loop.
//
//   loadgen PORT REQUEST CONNECTIONS SECONDS MOST
//
// REQUEST is a file with a complete HTTP request.  Each connection asks, waits for the whole answer, asks again, until
// SECONDS are over or MOST exchanges are done.  Prints one JSON object.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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

enum { HEAD = 16384, GRACE_SECONDS = 20 };
enum Place { IN_HEAD, IN_BODY, IN_SIZE, IN_CHUNK, AFTER_CHUNK, IN_TRAILER };

typedef struct {
    int fd, is_asked, is_last, status;
    enum Place place;
    char head[HEAD];
    size_t head_length;
    long left;             // bytes of the body or chunk still to come; in IN_SIZE the size read so far
    double asked_at, first_at;
} Client;

static char *request;
static size_t request_length;
static int port;
static long most, done, errors, not_200, chunks;
static double *took, *first;

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b) {
    double x = *(double *)a, y = *(double *)b;
    return (x > y) - (x < y);
}

static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (void *)&place, sizeof place)) { perror("connect"); exit(1); }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void ask(Client *one) {
    one->asked_at = now();
    one->first_at = 0;
    one->is_asked = 1;
    one->is_last = 0;
    one->place = IN_HEAD;
    one->head_length = 0;
    for (size_t at = 0; at < request_length;) {
        ssize_t sent = write(one->fd, request + at, request_length - at);
        if (sent > 0) at += sent;
        else if (sent < 0 && errno == EAGAIN) usleep(20);
        else return;  // reading will say that it has gone
    }
}

static void read_head(Client *one) {
    one->head[one->head_length] = 0;
    one->status = atoi(one->head + 9);
    char *length = strcasestr(one->head, "\r\ncontent-length:");
    one->is_last = strcasestr(one->head, "\r\nconnection: close") != 0;
    one->place = strcasestr(one->head, "\r\ntransfer-encoding: chunked") ? IN_SIZE : IN_BODY;
    one->left = one->place == IN_BODY && length ? atol(length + 17) : 0;
}

// Take one byte of framing, or a run of content; return how many bytes were taken.  `*is_whole` when the answer ended.
static size_t take(Client *one, const char *data, size_t length, int *is_whole) {
    char byte = data[0];
    switch (one->place) {
        case IN_HEAD:
            if (one->head_length < HEAD - 1) one->head[one->head_length++] = byte;
            if (one->head_length >= 4 && !memcmp(one->head + one->head_length - 4, "\r\n\r\n", 4)) {
                read_head(one);
                *is_whole = one->place == IN_BODY && !one->left;
            }
            return 1;
        case IN_BODY:
        case IN_CHUNK: {
            if (!one->first_at) one->first_at = now();
            size_t run = length < (size_t)one->left ? length : (size_t)one->left;
            one->left -= run;
            if (!one->left && one->place == IN_BODY) *is_whole = 1;
            if (!one->left && one->place == IN_CHUNK) { one->place = AFTER_CHUNK; chunks++; }
            return run;
        }
        case IN_SIZE:
            if (byte == '\n') one->place = one->left ? IN_CHUNK : IN_TRAILER;
            else if (byte != '\r')
                one->left = one->left * 16 + (byte <= '9' ? byte - '0' : (byte | 32) - 'a' + 10);
            return 1;
        case AFTER_CHUNK:
            if (byte == '\n') { one->place = IN_SIZE; one->left = 0; }
            return 1;
        case IN_TRAILER:
            if (byte == '\n') *is_whole = 1;
            return 1;
    }
    return 1;
}

int main(int count, char **words) {
    if (count != 6) { fprintf(stderr, "loadgen PORT REQUEST CONNECTIONS SECONDS MOST\n"); return 2; }
    signal(SIGPIPE, SIG_IGN);
    port = atoi(words[1]);
    FILE *file = fopen(words[2], "rb");
    if (!file) { perror(words[2]); return 1; }
    request = malloc(1 << 22);
    request_length = fread(request, 1, 1 << 22, file);
    int clients = atoi(words[3]);
    double seconds = atof(words[4]);
    most = atol(words[5]);
    took = malloc(sizeof(double) * (most + clients));
    first = malloc(sizeof(double) * (most + clients));
    Client *all = calloc(clients, sizeof(Client));
    int epoll = epoll_create1(0), busy = clients;
    double began = now(), end = began + seconds, last = began;
    for (int at = 0; at < clients; at++) {
        all[at].fd = dial();
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = at};
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[at].fd, &event);
        ask(&all[at]);
    }
    static char data[1 << 18];
    struct epoll_event events[512];
    while (busy && now() < end + GRACE_SECONDS) {
        int ready = epoll_wait(epoll, events, 512, 100);
        for (int index = 0; index < ready; index++) {
            Client *one = &all[events[index].data.u32];
            ssize_t got = read(one->fd, data, sizeof data);
            if (got < 0 && errno == EAGAIN) continue;
            int is_whole = 0;
            if (got <= 0) { errors++; is_whole = one->is_last = 1; }
            for (ssize_t at = 0; at < got && !is_whole;) at += take(one, data + at, got - at, &is_whole);
            if (!is_whole) continue;
            last = now();
            if (got > 0) {
                not_200 += one->status != 200;
                took[done] = last - one->asked_at;
                first[done++] = (one->first_at ? one->first_at : last) - one->asked_at;
            }
            if (one->is_last) {
                close(one->fd);
                one->fd = dial();
                struct epoll_event event = {.events = EPOLLIN, .data.u32 = events[index].data.u32};
                epoll_ctl(epoll, EPOLL_CTL_ADD, one->fd, &event);
            }
            if (last < end && done < most && errors < 1000) ask(one);
            else { busy--; epoll_ctl(epoll, EPOLL_CTL_DEL, one->fd, 0); }
        }
    }
    qsort(took, done, sizeof(double), by_size);
    qsort(first, done, sizeof(double), by_size);
#define AT(list, part) (done ? list[(long)((done - 1) * part)] * 1e3 : 0)
    printf("{\"n\":%ld,\"errors\":%ld,\"not_200\":%ld,\"unanswered\":%d,\"chunks\":%ld,\"seconds\":%.4f,"
           "\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"first_p50_ms\":%.4f}\n",
           done, errors, not_200, busy, chunks, last - began, AT(took, .5), AT(took, .99), AT(first, .5));
    return 0;
}
