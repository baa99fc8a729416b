/* server.c - a server of keys and values that frees nothing, and collects while it waits.
 * Use    server SOCKET           then, say, nc -U SOCKET
 * Shows  uncounted objects in a program that runs for long; midden_policy_set with `idle`, and
 *        midden_notify, by which the program says when it is; midden_get_stats.
 *
 * A request is a line, and so is its answer:
 *     SET key value ...      stored; what was there before is garbage
 *     GET key                the value, or "none"
 *     DROP key               dropped, or "none"
 *     COUNT                  how many keys there are
 *     STATS                  what collections there were, and what they freed
 *     QUIT, SHUTDOWN         ends the connection, the server
 */
#include <midden/midden.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 64, LINE_BYTES = 4096, BUCKETS = 1024, IDLE_MS = 100 };

static void give_up(const char *what)
{
    fprintf(stderr, "server: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- keys and values ------------------------------------------------------------------------- */

struct entry {
    struct entry *next;
    const char   *key;                   /* interned: the same key is the same pointer */
    const char   *value;
};

/* Static data is a root. From here a word leads to each entry, key and value in use; what no word
 * leads to any more is found by the next collection. */
static struct entry *bucket[BUCKETS];
static size_t        entries;

static void *made(const void *object)
{
    if (object == NULL)
        give_up("no memory");
    return (void *)object;
}

/* The link that leads to the key's entry, or the NULL where it would be. Keys do not move, so the
 * address will do as a hash. */
static struct entry **place_of(const char *key)
{
    struct entry **place = &bucket[((uintptr_t)key >> 4) % BUCKETS];
    while (*place != NULL && (*place)->key != key)
        place = &(*place)->next;
    return place;
}

static void store(const char *key, const char *value)
{
    struct entry **place = place_of(key);
    char *copy = made(midden_alloc_leaf(strlen(value) + 1));
    strcpy(copy, value);
    if (*place == NULL) {
        *place = made(midden_alloc(sizeof **place));
        (*place)->key = key;
        entries++;
    }
    (*place)->value = copy;
}

/* ---- requests -------------------------------------------------------------------------------- */

struct answer {
    char text[LINE_BYTES + 1];
    enum { GO_ON, HANG_UP, END } then;
};

#define SAY(answer, ...) snprintf((answer)->text, sizeof (answer)->text, __VA_ARGS__)

static void request_set(struct answer *answer, const char *key, const char *value)
{
    store(key, value);
    SAY(answer, "stored");
}

static void request_get(struct answer *answer, const char *key, const char *value)
{
    struct entry *entry = *place_of(key);
    (void)value;
    SAY(answer, "%s", entry != NULL ? entry->value : "none");
}

static void request_drop(struct answer *answer, const char *key, const char *value)
{
    struct entry **place = place_of(key), *entry = *place;
    (void)value;
    if (entry != NULL) {
        *place = entry->next;
        entries--;
    }
    SAY(answer, "%s", entry != NULL ? "dropped" : "none");
}

static void request_count(struct answer *answer, const char *key, const char *value)
{
    (void)key, (void)value;
    SAY(answer, "%zu", entries);
}

static void request_stats(struct answer *answer, const char *key, const char *value)
{
    struct midden_gc_stats sum = { .size = sizeof sum }, one = { .size = sizeof one };
    (void)key, (void)value;
    for (int generation = 0; generation <= MIDDEN_FULL; generation++) {
        if (midden_get_stats(generation, &one) != 0)
            give_up("midden_get_stats");
        sum.collections += one.collections;
        sum.collected += one.collected;
        sum.collected_bytes += one.collected_bytes;
    }
    SAY(answer, "collections=%" PRIu64 " collected=%" PRIu64 " collected_bytes=%" PRIu64,
        sum.collections, sum.collected, sum.collected_bytes);
}

static void request_quit(struct answer *answer, const char *key, const char *value)
{
    (void)key, (void)value;
    SAY(answer, "bye");
    answer->then = HANG_UP;
}

static void request_shutdown(struct answer *answer, const char *key, const char *value)
{
    (void)key, (void)value;
    SAY(answer, "bye");
    answer->then = END;
}

static const struct request {
    const char *name;
    int         words;                   /* behind it */
    void      (*run)(struct answer *answer, const char *key, const char *value);
} requests[] = {
    { "SET", 2, request_set },     { "GET", 1, request_get },     { "DROP", 1, request_drop },
    { "COUNT", 0, request_count }, { "STATS", 0, request_stats }, { "QUIT", 0, request_quit },
    { "SHUTDOWN", 0, request_shutdown },
};

/* The line is taken apart in place. */
static void obey(struct answer *answer, char *line)
{
    char *rest = NULL, *name = strtok_r(line, " ", &rest);
    char *key = name != NULL ? strtok_r(NULL, " ", &rest) : NULL;
    int   words = key == NULL ? 0 : *rest == '\0' ? 1 : 2;

    SAY(answer, "what?");
    for (size_t i = 0; name != NULL && i < sizeof requests / sizeof requests[0]; i++)
        if (strcmp(name, requests[i].name) == 0 && words >= requests[i].words) {
            const char *kept = key != NULL ? made(midden_intern(key, strlen(key))) : NULL;
            requests[i].run(answer, kept, rest);
            return;
        }
}

/* ---- connections ----------------------------------------------------------------------------- */

static struct pollfd place[1 + CLIENTS]; /* the first one listens */
static struct client {
    size_t count;
    char   line[LINE_BYTES];
} client[1 + CLIENTS];
static nfds_t places = 1;

static void hang_up(nfds_t i)
{
    close(place[i].fd);
    places--;
    place[i] = place[places];
    client[i] = client[places];
}

static void welcome(void)
{
    int fd = accept(place[0].fd, NULL, NULL);
    if (fd < 0)
        return;
    if (places == 1 + CLIENTS) {
        close(fd);
        return;
    }
    client[places].count = 0;
    place[places++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* Answers every whole line that has come. A client that does not take its answer is hung up on. */
static int answer_lines(nfds_t i)
{
    struct answer answer = { .then = GO_ON };
    char *line = client[i].line, *end;

    while (answer.then == GO_ON && (end = memchr(line, '\n', client[i].count)) != NULL) {
        size_t bytes = (size_t)(end + 1 - line);
        *end = '\0';
        obey(&answer, line);
        strcat(answer.text, "\n");
        if (send(place[i].fd, answer.text, strlen(answer.text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            return HANG_UP;
        client[i].count -= bytes;
        memmove(line, line + bytes, client[i].count);
    }
    return client[i].count == LINE_BYTES ? HANG_UP : (int)answer.then;
}

static int listen_to(nfds_t i)
{
    struct client *from = &client[i];
    ssize_t bytes = recv(place[i].fd, from->line + from->count, LINE_BYTES - from->count, 0);
    if (bytes < 0 && errno == EINTR)
        return GO_ON;
    if (bytes <= 0)
        return HANG_UP;
    from->count += (size_t)bytes;
    return answer_lines(i);
}

/* Whether to go on. Backwards, for a place that is given up is filled by the last one. */
static int serve(void)
{
    for (nfds_t i = places; i-- > 1;) {
        int then = place[i].revents != 0 ? listen_to(i) : GO_ON;
        if (then == END)
            return 0;
        if (then == HANG_UP)
            hang_up(i);
    }
    if (place[0].revents != 0)
        welcome();
    return 1;
}

/* After IDLE_MS without a request it is time to collect, once; then it waits for the next one. The
 * threads of a program are stopped by a signal for a moment, so poll may return early. */
static void run(void)
{
    int busy = 1, more = 1;
    while (more) {
        int ready = poll(place, places, busy ? IDLE_MS : -1);
        if (ready < 0 && errno != EINTR)
            give_up("poll");
        if (ready == 0)
            midden_notify(MIDDEN_IDLE);
        if (ready >= 0)
            busy = ready > 0;
        if (ready > 0)
            more = serve();
    }
}

int main(int count, char **word)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (count != 2 || strlen(word[1]) >= sizeof address.sun_path) {
        fputs("use: server SOCKET\n", stderr);
        return 2;
    }
    strcpy(address.sun_path, word[1]);
    if (midden_policy_set("idle:200ms+growth:100%") != 0)
        give_up("midden_policy_set");
    place[0] = (struct pollfd){ .fd = socket(AF_UNIX, SOCK_STREAM, 0), .events = POLLIN };
    unlink(word[1]);
    if (bind(place[0].fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(place[0].fd, CLIENTS) != 0)
        give_up(word[1]);
    run();
    unlink(word[1]);
    return 0;
}
