/*
 * Follows flows with epoll: on one non-blocking handle comes the answer to a
 * request and then the events. SIGINT, SIGTERM or SECONDS end it.
 *
 *     cc events.c $(pkg-config --cflags --libs libnetfilter_conntrack) -o events
 *     ./events [SECONDS]
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void) signal;
    stopped = 1;
}

static int print(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
    char line[1024];

    (void) data;
    if (nfct_snprintf(line, sizeof(line), ct, type, NFCT_O_PLAIN, NFCT_OF_SHOW_LAYER3) >= 0) {
        puts(line);
        fflush(stdout);
    }
    return NFCT_CB_CONTINUE;
}

/* Takes what there is. Returns 0 when the socket is empty. */
static int take_all(struct nfct_handle *h)
{
    for (;;) {
        if (nfct_catch(h) == 0)
            continue; /* the end of the answer to the request */
        if (errno == EAGAIN)
            return 0;
        if (errno != ENOBUFS)
            return -1;
        /* The socket was full: a program that keeps a table lists it again. */
        fprintf(stderr, "events were lost\n");
    }
}

int main(int argc, char **argv)
{
    time_t end = argc > 1 ? time(NULL) + atoi(argv[1]) : 0;
    struct nfct_handle *h = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
    struct epoll_event event = { .events = EPOLLIN };
    uint32_t family = AF_UNSPEC;
    int epoll = epoll_create1(0), result = 0;

    if (!h || epoll < 0 || fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK) < 0
        || epoll_ctl(epoll, EPOLL_CTL_ADD, nfct_fd(h), &event) < 0) {
        perror("starting");
        return 1;
    }
    nfct_callback_register(h, NFCT_T_ALL, print, NULL);

    /* Subscribed before asking, so that nothing is missed in between. */
    if (nfct_send(h, NFCT_Q_DUMP, &family) < 0) {
        perror("nfct_send");
        return 1;
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    while (result == 0 && !stopped && (end == 0 || time(NULL) < end)) {
        if (epoll_wait(epoll, &event, 1, 1000) > 0)
            result = take_all(h);
    }
    if (result < 0)
        perror("nfct_catch");
    nfct_close(h);
    return result < 0;
}
