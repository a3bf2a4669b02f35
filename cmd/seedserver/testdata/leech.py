#!/usr/bin/python3
"""leech.py TORRENT|MAGNET OUTDIR BIND PORT [ROUTER]: download with libtorrent; exits 0 when complete and says how much was taken.

With ROUTER, HOST:PORT, it joins the DHT there.
"""
import sys
import time

import libtorrent as lt

source, out, bind, port = sys.argv[1:5]
router = sys.argv[5] if len(sys.argv) > 5 else ""
session = lt.session({
    "listen_interfaces": f"{bind}:{port}", "outgoing_interfaces": bind.strip("[]"),
    "enable_dht": router != "", "dht_bootstrap_nodes": router, "dht_announce_interval": 5, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "enable_outgoing_utp": False, "enable_incoming_utp": False, "allow_multiple_connections_per_ip": True,
})
if source.startswith("magnet:"):
    params = lt.parse_magnet_uri(source)
else:
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(source)
params.save_path = out
params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
torrent = session.add_torrent(params)
while not torrent.status().is_seeding:
    if torrent.status().errc.value() != 0:
        sys.exit(f"libtorrent: {torrent.status().errc.message()}")
    time.sleep(0.05)
print(torrent.status().total_payload_download)
