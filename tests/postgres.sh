# PostgreSQL for tests/run and tests/bench/run, which source this: found or installed, and a cluster of their own. Whoever
# sources it sets `postgres` to the directory that find_postgres answers with.

readonly oldest_postgres=15

# The directory of the cluster; nothing as long as there is none.
cluster=

# The directory of the oldest PostgreSQL's programs that is new enough; nothing if there is none.
find_postgres() {
    local bin version
    for bin in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort); do
        version=$(basename "$(dirname "$bin")")
        if [[ -x $bin/initdb && $version =~ ^[0-9]+$ && $version -ge $oldest_postgres ]]; then
            echo "$bin"
            return
        fi
    done
}

install_postgres() {
    if [[ $EUID -ne 0 ]]; then
        echo "PostgreSQL $oldest_postgres or later is missing, and only root can install it: apt-get install postgresql" >&2
        return 1
    fi
    local package=postgresql-$oldest_postgres
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet
    apt-cache show "$package" >/dev/null 2>&1 || package=postgresql
    apt-get install --yes --quiet --no-install-recommends "$package"
}

# PostgreSQL refuses to run as root; then it runs as the user that its package makes.
as_postgres() {
    if [[ $EUID -eq 0 ]]; then
        (cd "$cluster" && runuser -u postgres -- "$@")
    else
        (cd "$cluster" && "$@")
    fi
}

# start_postgres SETTING…: a private cluster, set so. Its data, its socket and its log are in one directory that nobody else
# may enter, $cluster, and $postgres_url is its address.
start_postgres() {
    local options="-c listen_addresses=" setting
    cluster=$(mktemp --directory /tmp/rollbook-postgres.XXXXXX)
    if [[ $EUID -eq 0 ]]; then
        chown postgres: "$cluster"
    fi
    options+=" -c unix_socket_directories=$cluster"
    for setting in "$@"; do
        options+=" -c $setting"
    done
    as_postgres "$postgres/initdb" --pgdata="$cluster/data" --auth=trust --username=postgres --encoding=UTF8 \
        --locale=C.UTF-8 --no-instructions >/dev/null
    as_postgres "$postgres/pg_ctl" --pgdata="$cluster/data" --log="$cluster/log" --silent --wait \
        --options="$options" start
    postgres_url="postgres://postgres@${cluster//\//%2F}/postgres"
    echo "$("$postgres/postgres" --version), $postgres_url"
}

remove_postgres() {
    if [[ -e $cluster/data/postmaster.pid ]]; then
        as_postgres "$postgres/pg_ctl" --pgdata="$cluster/data" --silent --mode=immediate stop || true
    fi
    rm -rf "$cluster"
}
