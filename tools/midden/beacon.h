/* beacon.h - midden_published, found in another process.
 * Job         Look through the mapped objects for the symbol, by the dynamic section and hash table
 *             that the process itself has in memory: so a file that was deleted, replaced, or lies
 *             in another mount namespace makes no difference. Say whether the library there and
 *             this command mean the same by their tables.
 */
#ifndef MIDDEN_TOOL_BEACON_H
#define MIDDEN_TOOL_BEACON_H

#include "peer.h"

#include "heap/cage.h"
#include "report/publish.h"

enum beacon_answer {
    BEACON_FOUND,
    BEACON_ABSENT,                               /* no midden in this process */
    BEACON_MUTE,                                 /* a libmidden that publishes nothing known */
    BEACON_OTHER,                                /* its tables are cut otherwise: `difference` */
    BEACON_UNREADABLE,                           /* its memory cannot be read: errno */
};

struct beacon {
    struct published published;
    struct chart     chart;
    struct cage      cage;                       /* as it was at the moment of the search */
    char             path[256];                  /* of the library, cut where it is longer */
    char             difference[96];
};

enum beacon_answer beacon_find(struct beacon *beacon, struct peer *peer);

#endif
