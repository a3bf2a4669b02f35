#!/usr/bin/python3
"""dht.py BIND PORT ROUTER node|announce|peers [INFOHASH]: a DHT node of libtorrent.

node runs until it is ended. announce does too, and has a torrent of INFOHASH, of which it has nothing, so that it tells the DHT of
itself. peers prints the peers of INFOHASH as soon as somebody tells of any, and ends.
"""
import sys
import time

import libtorrent as lt

bind, port, router, action = sys.argv[1:5]
session = lt.session({
    "listen_interfaces": f"{bind}:{port}", "enable_dht": True, "dht_bootstrap_nodes": router, "dht_announce_interval": 10,
    "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "alert_mask": lt.alert.category_t.dht_notification | lt.alert.category_t.dht_operation_notification,
})
if action == "announce":
    params = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + sys.argv[5])
    params.save_path = "/nonexistent"
    params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    session.add_torrent(params)
while action != "peers":
    time.sleep(60)
asked = 0.0
while True:
    if time.time() - asked > 3:
        asked = time.time()
        session.dht_get_peers(lt.sha1_hash(bytes.fromhex(sys.argv[5])))
    for alert in session.pop_alerts():
        if isinstance(alert, lt.dht_get_peers_reply_alert) and alert.peers():
            for ip, peer_port in alert.peers():
                print(f"{ip}:{peer_port}")
            sys.exit(0)
    time.sleep(0.05)
