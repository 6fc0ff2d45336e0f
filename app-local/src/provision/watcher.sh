# Runs a server until standard input, the FIFO of its leases, ends; then stops it and removes its room.
# Arguments: grace in seconds, the room, a socket's directory elsewhere or nothing, the signal or the command line that
# stops the server, then the server's own command line.
grace=$1 room=$2 socket=$3 stop=$4; shift 4
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
end() {
    case $stop in
        [A-Z]*) kill -s "$stop" "$server" ;;
        *) $stop ;;
    esac
} 2>/dev/null
trap end HUP INT TERM
(
    trap - HUP INT TERM
    while :; do
        read -r _ <&3
        rm -f "$room/used"
        [ "$grace" = 0 ] || sleep "$grace"
        [ -e "$room/used" ] || break
    done
    rm -f "$room/server.json"
    read -r _ <&3
    end
) &
watch=$!
exec 3<&-
while kill -0 "$server" 2>/dev/null; do wait "$server"; done
kill "$watch" 2>/dev/null
[ -z "$socket" ] || rm -rf "$socket"
rm -rf "$room"
