# Loader for the package: {{ name }}
#
#   source("scripts/load_data.R")
#   trades <- load_data(symbol = "AAPL", event_type = "Trade", date = "2024-01-03")
#   iter_data(function(batch) ..., event_type = "Trade", batch_rows = 50000)  # memory for one batch, not for a file
#   stopifnot(nrow(verify()) == 0)
#
# `Rscript scripts/load_data.R` prints what the package holds; with `--help`, what else it can do.
#
# Needs the packages jsonlite and dplyr; the program zstd for zstd files and the package arrow for Parquet files.
# verify() needs R 4.5, the package digest or openssl, or the program sha256sum or shasum.
# R's numbers are doubles: whole numbers beyond 2^53 are rounded, and times are good to the microsecond.

# A scope of its own: loaders of two packages can be used side by side.
.pdp_loader <- local({
  for (needed in c("jsonlite", "dplyr")) {
    if (!requireNamespace(needed, quietly = TRUE)) {
      stop("this loader needs the package ", needed, ": install.packages(\"", needed, "\")", call. = FALSE)
    }
  }

  LEVELS_UP <- 4L # after an import into a shared folder the data can lie above the package's papers
  PIECE <- 2^20
  BATCH <- 5000L # records that are parsed together
  MAX_DEPTH <- 127L
  SCHEMA_LIMIT <- 2048L # schemas in the manifest end at so many fields

  # The number of an event type in a record is its position here, from 0.
  EVENT_TYPES <- strsplit(paste(
    "Unknown L2Snapshot BboQuote Trade OrderFlow Heartbeat ConnectionStatus Integrity HistoricalBar HistoricalQuote",
    "HistoricalTrade HistoricalAuction AggregateBar Quote Depth OptionQuote OptionTrade OptionGreeks OptionChain",
    "OpenInterest OrderAdd OrderModify OrderCancel OrderExecute OrderReplace"
  ), " ")[[1]]
  # Columns that hold times whatever the manifest's schema says of them.
  TIME_NAMES <- c("timestamp", "exchangetimestamp", "receivedatutc", "starttime", "endtime",
                  "expiry", "expirydate", "expiration", "expirationdate")
  # Where to look for the time of a row, best first.
  ROW_TIMES <- c("timestamp", "ts", "time", "ts_event", "eventtime", "event_time", "snapshot.timestamp", "starttime",
                 "sessiondate", "date", "datetime", "open_time", "opentime", "local_timestamp", "exchange_timestamp")
  # Columns of CSV files that are text even where every value looks like a number (ticker 000001) or a word (TRUE).
  TEXT_NAMES <- c("symbol", "ticker", "canonicalsymbol", "effectivesymbol")
  # Formats without a reader here, and what to do about them.
  ELSEWHERE <- c(fxd = "convert it first: pdp fxd convert",
                 dbn = "use databento.DBNStore.from_file(path).to_df() in Python")

  # ---------------------------------------------------------------- where the package is

  # The file being sourced, else the script given to Rscript, else NULL.
  own_path <- function() {
    for (frame in rev(sys.frames())) {
      if (is.character(frame$ofile)) {
        # With chdir = TRUE, the path is relative to the folder that source() has left.
        return(if (is.null(frame$owd) || grepl("^(/|~|[A-Za-z]:)", frame$ofile)) frame$ofile
               else file.path(frame$owd, frame$ofile))
      }
    }
    script_path()
  }

  script_path <- function() {
    given <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))
    given <- gsub("~+~", " ", given, fixed = TRUE)
    if (length(given) == 1 && basename(given) == "load_data.R") given else NULL
  }

  sourced <- function() any(vapply(sys.frames(), function(frame) is.character(frame$ofile), NA))

  find_root <- function() {
    path <- own_path()
    if (!is.null(path)) return(dirname(dirname(normalizePath(path, "/"))))
    here <- normalizePath(getwd(), "/")
    if (file.exists(file.path(here, "manifest.json"))) here else dirname(here)
  }

  ROOT <- find_root()

  # Text as UTF-8; in the C locale, where R knows no encoding, it is taken to be that already.
  utf8 <- function(text) {
    known <- l10n_info()
    if (known[["UTF-8"]] || known[["Latin-1"]]) return(enc2utf8(text))
    Encoding(text) <- "UTF-8"
    text
  }

  # A path as the system wants it: in the C locale R would write its letters as codes.
  native <- function(path) {
    if (.Platform$OS.type == "unix" && !l10n_info()[["UTF-8"]]) Encoding(path) <- "unknown"
    path
  }

  loaded <- new.env()

  manifest <- function() {
    if (is.null(loaded$manifest)) {
      path <- file.path(ROOT, "manifest.json")
      if (!file.exists(path)) {
        stop("there is no ", path, ": this script must stay in the folder scripts of its package", call. = FALSE)
      }
      bytes <- without_bom(readBin(path, "raw", file.size(path)))
      loaded$manifest <- jsonlite::parse_json(utf8(rawToChar(bytes)), simplifyVector = FALSE)
    }
    loaded$manifest
  }

  texts <- function(values) vapply(values, as.character, "")
  or <- function(value, otherwise) if (is.null(value)) otherwise else value
  warn <- function(...) warning(..., call. = FALSE, immediate. = FALSE)
  listed <- function(names) {
    if (!length(names)) return("(none)")
    more <- length(names) - 20
    paste0(paste(utils::head(names, 20), collapse = ", "), if (more > 0) paste0(" and ", more, " more"))
  }

  # ---------------------------------------------------------------- choosing files

  wanted <- function(name, names) is.null(names) || tolower(or(name, "")) %in% tolower(utf8(names))

  as_names <- function(value, argument) {
    if (!is.null(value) && !is.character(value)) stop(argument, " must be a character vector", call. = FALSE)
    value
  }

  as_days <- function(value) {
    if (is.null(value)) return(NULL)
    days <- NA
    if (inherits(value, c("Date", "POSIXt"))) {
      days <- as.Date(value, tz = "UTC")
    } else if (is.character(value) && all(grepl("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", value))) {
      days <- as.Date(value, "%Y-%m-%d")
    }
    if (!length(days) || anyNA(days)) stop("date must be YYYY-MM-DD or a Date, not ", deparse(value), call. = FALSE)
    days
  }

  day_of <- function(text) if (is.null(text)) as.Date(NA) else as.Date(from_text(text), tz = "UTC")

  # What of a file belongs to the days: "whole", only its "rows" of those days, or "" for nothing.
  part_of <- function(entry, days) {
    if (is.null(days)) return("whole")
    filed <- day_of(entry$date)
    first <- day_of(entry$firstTimestamp)
    last <- day_of(entry$lastTimestamp)
    timed <- !is.na(first) && !is.na(last)
    if (!is.na(filed) && !(timed && first != last)) return(if (filed %in% days) "whole" else "")
    if (timed && any(first <= days & days <= last)) "rows" else ""
  }

  # The files that hold what is asked for, each with its part.
  matching <- function(symbol, event_type, days) {
    found <- Filter(function(e) wanted(e$symbol, symbol) && wanted(e$eventType, event_type), manifest()$files)
    parts <- vapply(found, part_of, "", days)
    Map(function(entry, part) list(entry = entry, part = part), found[parts != ""], parts[parts != ""])
  }

  # The same for the files that can be read here; says which cannot, and when there are none at all.
  choose <- function(symbol, event_type, days) {
    chosen <- unname(matching(as_names(symbol, "symbol"), as_names(event_type, "event_type"), days))
    if (!length(chosen)) {
      warn("nothing matches; the package has the symbols ", listed(get_symbols()), " and the event types ",
           listed(get_event_types()))
      return(chosen)
    }
    formats <- vapply(chosen, function(one) one$entry$format, "")
    unread <- !(formats %in% names(READERS))
    skipped <- vapply(chosen, function(one) paste0(one$entry$path, " (", advice(one$entry), ")"), "")[unread]
    if (all(unread)) stop("this loader does not read ", paste(skipped, collapse = "; "), call. = FALSE)
    for (text in skipped) warn("skipped ", text)
    chosen[!unread]
  }

  advice <- function(entry) {
    known <- ELSEWHERE[entry$format]
    if (is.na(known)) paste("its format", entry$format, "is not known") else unname(known)
  }

  # A data file, below the manifest's folder or one of the folders above it.
  locate <- function(path, levels_up = LEVELS_UP) {
    if (grepl("^/|[\\\\:]", path) || ".." %in% strsplit(path, "/", fixed = TRUE)[[1]]) {
      stop("the manifest names a path outside of the package: ", path, call. = FALSE)
    }
    base <- ROOT
    for (level in 0:levels_up) {
      found <- native(file.path(base, path))
      if (file.exists(found)) return(found)
      base <- dirname(base)
    }
    stop("file not found: ", path, " is not below ", ROOT,
         if (levels_up) paste(" nor any of the", levels_up, "folders above it"), call. = FALSE)
  }

  # ---------------------------------------------------------------- bytes

  without_bom <- function(bytes) {
    if (length(bytes) >= 3 && identical(bytes[1:3], as.raw(c(0xef, 0xbb, 0xbf)))) bytes[-(1:3)] else bytes
  }

  # A file's content, its compression undone: told by the first bytes, as collectors write gzip under names in .zst.
  # Of what this returns, read() gives the next bytes, none at the end; damaged() then says whether the compressed data
  # broke off or was damaged there.
  open_content <- function(path, shown) {
    head <- as.integer(readBin(path, "raw", 4))
    if (length(head) >= 2 && all(head[1:2] == c(0x1f, 0x8b))) return(gunzip(path))
    if (length(head) == 4 && (all(head == c(0x28, 0xb5, 0x2f, 0xfd)) ||
                              (head[1] %/% 16 == 5 && all(head[2:4] == c(0x2a, 0x4d, 0x18))))) {
      return(unzstd(path, shown))
    }
    con <- file(path, "rb")
    list(read = function() readBin(con, "raw", PIECE), damaged = function() FALSE, close = function() close(con))
  }

  unzstd <- function(path, shown) {
    program <- Sys.which("zstd")
    if (program == "") {
      stop("reading ", shown, " needs the program zstd, which was not found: install it (zstd.net) ",
           "or use scripts/load_data.py", call. = FALSE)
    }
    con <- pipe(paste(shQuote(program), "-q -q -d -c", shQuote(path)), "rb")
    damaged <- FALSE
    finish <- function() {
      if (is.null(con)) return()
      status <- close(con)
      damaged <<- !is.null(status) && status != 0
      con <<- NULL
    }
    read <- function() {
      piece <- if (is.null(con)) raw() else readBin(con, "raw", PIECE)
      if (!length(piece)) finish()
      piece
    }
    list(read = read, damaged = function() damaged, close = finish)
  }

  # Undoes every gzip member in turn. R's own gzfile() is silent about a torn member, loses what was read before some
  # errors, and gzcon() stops after the first member without telling where it ends. But a member ends in its size, and
  # then comes another or the end: that is enough to find where.
  gunzip <- function(path) {
    end <- file.size(path)
    starts <- member_starts(path)
    at <- 1
    size <- 0
    con <- NULL
    finish <- function() {
      if (!is.null(con)) close(con)
      con <<- NULL
    }
    read <- function() {
      while (!is.na(at) && at <= end) {
        if (is.null(con)) {
          size <<- 0
          con <<- open_member(path, at)
        }
        piece <- tryCatch(suppressWarnings(readBin(con, "raw", PIECE)), error = function(e) raw())
        size <<- size + length(piece)
        if (length(piece)) return(piece)
        finish()
        at <<- after_member(path, c(starts[starts >= at + 18], end + 1), size)
      }
      raw()
    }
    list(read = read, damaged = function() is.na(at), close = finish)
  }

  # Where gzip members can begin, counted from 1.
  member_starts <- function(path) {
    con <- file(path, "rb")
    on.exit(close(con))
    starts <- numeric()
    behind <- 0
    before <- raw()
    repeat {
      piece <- readBin(con, "raw", PIECE)
      if (!length(piece)) return(starts)
      bytes <- c(before, piece)
      found <- which(bytes == as.raw(0x1f))
      found <- found[found + 2 <= length(bytes)]
      found <- found[bytes[found + 1] == as.raw(0x8b) & bytes[found + 2] == as.raw(0x08)]
      starts <- c(starts, behind - length(before) + found)
      behind <- behind + length(piece)
      before <- utils::tail(bytes, 2)
    }
  }

  open_member <- function(path, at) {
    con <- file(path, "rb")
    seek(con, at - 1)
    # Of what is no gzip at all, nothing is read.
    tryCatch(gzcon(con, allowNonCompressed = FALSE), error = function(e) {
      close(con)
      rawConnection(raw())
    })
  }

  # The first of the `borders` (starts of members, or behind the end) right before which a member of this size ends,
  # zero bytes of padding aside; NA if none.
  after_member <- function(path, borders, size) {
    con <- file(path, "rb")
    on.exit(close(con))
    size <- as.raw(size %/% 256^(0:3) %% 256)
    for (border in borders) {
      reach <- 2^12
      repeat {
        from <- max(1, border - reach)
        seek(con, from - 1)
        bytes <- readBin(con, "raw", border - from)
        last <- max(1, which(bytes != as.raw(0)))
        if (from == 1 || last > 4) break
        reach <- reach * 2
      }
      # The size itself may end in zero bytes, and a checksum before it.
      for (end in last:min(length(bytes), last + 8)) {
        if (from - 1 + end >= 18 && end >= 4 && all(bytes[(end - 3):end] == size)) return(border)
      }
    }
    NA
  }

  # The lines of a file, without a BOM. Of what this returns, read(count) gives the next ones, fewer at the end; torn()
  # then says whether the last was cut off with the compressed data.
  open_lines <- function(path, shown) {
    source <- open_content(path, shown)
    ready <- character()
    held <- raw()
    begun <- ended <- torn <- FALSE
    read <- function(count) {
      parts <- list(ready)
      while (!ended && sum(lengths(parts)) < count) {
        piece <- source$read()
        if (!begun) piece <- without_bom(piece)
        begun <<- TRUE
        if (length(piece)) {
          bytes <- c(held, piece)
          last <- max(0, which(bytes == as.raw(10)))
          held <<- utils::tail(bytes, length(bytes) - last)
          parts[[length(parts) + 1]] <- as_lines(utils::head(bytes, last))
        } else {
          ended <<- TRUE
          if (source$damaged()) {
            torn <<- length(held) > 0
            warn("the compressed data of ", shown, " is torn or damaged; the rows before that were read")
          }
          parts[[length(parts) + 1]] <- as_lines(held)
        }
      }
      lines <- as.character(unlist(parts))
      ready <<- utils::tail(lines, max(0, length(lines) - count))
      utils::head(lines, count)
    }
    list(read = read, torn = function() torn, ended = function() ended && !length(ready), close = source$close)
  }

  # Bytes as lines of UTF-8, split at newlines only. Zero bytes, which R's strings cannot hold, become another control
  # character: JSON allows neither.
  as_lines <- function(bytes) {
    bytes[bytes == as.raw(0)] <- as.raw(1)
    ends <- which(bytes == as.raw(10))
    lines <- list()
    from <- 1
    # R's strings are shorter than 2^31 bytes.
    while (from <= length(bytes)) {
      to <- min(from + 2^27, length(bytes))
      if (to < length(bytes)) to <- min(ends[ends >= to], length(bytes))
      lines[[length(lines) + 1]] <- strsplit(rawToChar(bytes[from:to]), "\n", fixed = TRUE, useBytes = TRUE)[[1]]
      from <- to + 1
    }
    lines <- as.character(unlist(lines))
    Encoding(lines) <- "UTF-8"
    lines
  }

  # ---------------------------------------------------------------- JSON Lines

  # Of what a reader returns, read() gives the next rows as columns, NULL at the end.
  read_jsonl <- function(path, entry, batch_rows) {
    source <- open_lines(path, entry$path)
    bad <- 0
    first_bad <- NA
    behind <- 0
    read <- function() {
      repeat {
        lines <- source$read(batch_rows)
        if (!length(lines)) {
          if (bad) warn(bad, " unreadable lines skipped in ", entry$path, ", first at line ", first_bad)
          bad <<- 0
          return(NULL)
        }
        parsed <- parse_jsonl(lines)
        wrong <- parsed$bad
        if (source$ended() && source$torn()) wrong <- setdiff(wrong, length(lines)) # the piece before the tear
        if (length(wrong) && !bad) first_bad <<- behind + wrong[1]
        bad <<- bad + length(wrong)
        behind <<- behind + length(lines)
        if (length(parsed$records)) {
          return(list(rows = length(parsed$records), columns = lapply(flatten(parsed$records), simplify)))
        }
      }
    }
    list(read = read, close = source$close)
  }

  # The records on some lines, and which lines are bad.
  parse_jsonl <- function(lines) {
    blank <- !grepl("[^ \t\r\f\v]", lines, useBytes = TRUE)
    good <- !blank
    good[good] <- is_object(lines[good])
    records <- vector("list", sum(good))
    for (from in seq(1, by = BATCH, length.out = ceiling(sum(good) / BATCH))) {
      some <- from:min(from + BATCH - 1, sum(good))
      # Every line is known to be one whole object, so that they can be parsed together.
      text <- paste0("[", paste(lines[good][some], collapse = ","), "]")
      records[some] <- jsonlite::parse_json(text, simplifyVector = FALSE)
    }
    sound <- is_sound(records, lines[good])
    good[good] <- sound
    list(records = records[sound], bad = which(!good & !blank))
  }

  # Which lines are one JSON object in valid UTF-8, without half a surrogate pair.
  is_object <- function(lines) {
    good <- validUTF8(lines) & grepl("^[ \t\r]*\\{", lines, useBytes = TRUE)
    good[good] <- vapply(lines[good], function(line) isTRUE(jsonlite::validate(line)), NA, USE.NAMES = FALSE)
    surrogate <- "\\\\u[dD][89a-fA-F]"
    suspect <- good & grepl(surrogate, lines, useBytes = TRUE)
    if (any(suspect)) {
      rest <- gsub("\\\\", "", lines[suspect], fixed = TRUE) # of the escapes only a backslash's own has two
      rest <- gsub("\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}", "", rest)
      good[suspect] <- !grepl(surrogate, rest)
    }
    good
  }

  # Which records are neither nested too deeply nor have a number too large, by the rules by which they were counted.
  is_sound <- function(records, lines) {
    sound <- rep(TRUE, length(records))
    for (i in which(grepl("[0-9][eE][+]?[0-9]{3}|[0-9]{300}", lines, perl = TRUE, useBytes = TRUE))) {
      sound[i] <- !any(unlist(rapply(records[[i]], is.infinite, classes = "numeric", how = "unlist")))
    }
    brackets <- nchar(gsub("[^[{]+", "", lines, useBytes = TRUE), "bytes")
    for (i in which(brackets > MAX_DEPTH)) {
      level <- records[i]
      for (depth in seq_len(MAX_DEPTH)) level <- Filter(is.list, unlist(unname(level), recursive = FALSE))
      sound[i] <- sound[i] && !length(level)
    }
    sound
  }

  is_object_value <- function(value) is.list(value) && !is.null(names(value))

  # Records as columns, each a list with NULL where a record has nothing. Fields of objects get names with dots; those
  # of the payload their own, with "payload." before it where the record itself has a field of that name.
  flatten <- function(records, prefix = NULL) {
    columns <- list()
    put <- function(name, values) {
      old <- columns[[name]]
      missing <- vapply(values, is.null, NA)
      if (!is.null(old)) values[missing] <- old[missing]
      columns[[name]] <<- values
    }
    names <- setdiff(unique(unlist(lapply(records, names))), "")
    for (name in names) {
      values <- lapply(records, `[[`, name)
      objects <- vapply(values, is_object_value, NA)
      plain <- values
      plain[objects] <- list(NULL)
      if (!any(objects)) {
        put(paste0(prefix, name), plain)
        next
      }
      inner <- values
      inner[!objects] <- list(NULL)
      if (is.null(prefix) && tolower(name) == "payload") {
        for (part in setdiff(unique(unlist(lapply(inner, names))), "")) {
          values <- lapply(inner, `[[`, part)
          taken <- rep(FALSE, length(records))
          if (part %in% names) taken <- vapply(records, function(r) part %in% names(r), NA)
          for (own in unique(taken)) {
            some <- values
            some[taken != own] <- list(NULL)
            # One field at a time, so that objects in it are flattened too.
            under <- flatten(lapply(some, function(v) stats::setNames(list(v), part)), if (own) "payload." else "")
            for (column in names(under)) put(column, under[[column]])
          }
        }
      } else {
        under <- flatten(inner, paste0(prefix, name, "."))
        for (column in names(under)) put(column, under[[column]])
        if (!length(under)) put(paste0(prefix, name), plain)
      }
      if (any(lengths(plain) > 0 | vapply(plain, is.list, NA))) put(paste0(prefix, name), plain)
    }
    columns
  }

  # A list of values as a vector where all are of one kind.
  simplify <- function(values) {
    missing <- vapply(values, is.null, NA)
    present <- values[!missing]
    if (!length(present)) return(rep(NA, length(values)))
    kinds <- unique(vapply(present, typeof, ""))
    if ("list" %in% kinds) return(values)
    if (setequal(kinds, c("integer", "double"))) kinds <- "double"
    if (length(kinds) > 1) return(values)
    column <- rep(as.vector(NA, kinds), length(values))
    column[!missing] <- unlist(present)
    column
  }

  # ---------------------------------------------------------------- CSV

  read_csv <- function(path, entry, batch_rows) {
    dialect <- or(entry$csv, list())
    delimiter <- or(dialect$delimiter, ",")
    columns <- texts(dialect$columns)
    source <- open_lines(path, entry$path)
    ready <- list(text = character(), line = integer())
    behind <- 0
    headed <- !or(dialect$hasHeader, TRUE)
    bad <- 0
    first_bad <- NA
    # The records on the next lines, and on those over which the last of them goes on.
    more <- function() {
      lines <- source$read(batch_rows)
      repeat {
        # What stands of a line before a tear is none, as its last field may be cut.
        if (source$ended() && source$torn()) lines <- lines[-length(lines)]
        broken <- !validUTF8(lines)
        lines[broken] <- iconv(lines[broken], "UTF-8", "UTF-8", sub = "\uFFFD")
        records <- csv_records(lines, delimiter, dialect$comment)
        if (!records$open || source$ended()) break
        lines <- c(lines, source$read(length(lines)))
      }
      ready <<- list(text = c(ready$text, records$text), line = c(ready$line, behind + records$line))
      behind <<- behind + length(lines)
    }
    take <- function(count) {
      while (length(ready$text) < count && !source$ended()) more()
      taken <- lapply(ready, utils::head, count)
      ready <<- lapply(ready, function(values) utils::tail(values, max(0, length(values) - count)))
      taken
    }
    read <- function() {
      if (!headed) {
        header <- csv_fields(take(1)$text, delimiter)
        if (!length(columns) && length(header)) columns <<- header[[1]]
        headed <<- TRUE
      }
      repeat {
        records <- take(batch_rows)
        if (!length(records$text)) {
          if (bad) warn(bad, " rows with too many fields skipped in ", entry$path, ", first at line ", first_bad)
          bad <<- 0
          return(NULL)
        }
        fields <- csv_fields(records$text, delimiter)
        wrong <- lengths(fields) > length(columns)
        if (any(wrong) && !bad) first_bad <<- records$line[wrong][1]
        bad <<- bad + sum(wrong)
        if (!all(wrong)) return(list(rows = sum(!wrong), columns = csv_columns(fields[!wrong], columns, entry)))
      }
    }
    list(read = read, close = source$close)
  }

  csv_columns <- function(fields, columns, entry) {
    width <- length(columns)
    short <- lengths(fields) < width
    fields[short] <- lapply(fields[short], `length<-`, width)
    cells <- matrix(as.character(unlist(fields)), ncol = max(width, 1), byrow = TRUE)
    known <- declared(entry)
    values <- lapply(seq_len(width), function(i) {
      name <- tolower(trimws(columns[i]))
      typed(cells[, i], name %in% TEXT_NAMES || identical(known[name], stats::setNames("string", name)))
    })
    stats::setNames(values, make.unique(columns))
  }

  # Regular expressions for a field, and for a record in which every quoted field is closed.
  csv_patterns <- function(delimiter) {
    mark <- sprintf("\\x%02x", utf8ToInt(delimiter)) # always ASCII
    field <- sprintf("(?:\"(?:[^\"]++|\"\")*+\"[^%s]*+|(?!\")[^%s]*+)", mark, mark)
    list(field = paste0(field, mark), whole = sprintf("\\A%s(?:%s%s)*+\\z", field, mark, field))
  }

  # Records and the lines they begin on: blank lines and comments are none, a quoted field goes on over lines. `open`
  # says that nothing closes the last one.
  csv_records <- function(lines, delimiter, comment) {
    quoted <- grepl("\"", lines, fixed = TRUE)
    returns <- !quoted & grepl("\r.", lines)
    if (any(returns)) { # a carriage return alone ends a line as well
      lines <- as.list(lines)
      lines[returns] <- strsplit(unlist(lines[returns]), "\r", fixed = TRUE)
      lines <- as.character(unlist(lines))
      quoted <- grepl("\"", lines, fixed = TRUE)
    }
    whole <- csv_patterns(delimiter)$whole
    begins <- !(lines %in% c("", "\r"))
    if (!is.null(comment)) begins <- begins & !startsWith(lines, comment)
    open <- quoted & begins
    open[open] <- !grepl(whole, lines[open], perl = TRUE)
    with_quotes <- which(quoted)
    unclosed <- FALSE
    done <- 0
    for (first in which(open)) {
      if (first <= done) next
      done <- length(lines)
      text <- NULL
      for (last in with_quotes[with_quotes > first]) {
        text <- paste(lines[first:last], collapse = "\n")
        if (grepl(whole, text, perl = TRUE)) {
          done <- last
          break
        }
        text <- NULL
      }
      # A field that nothing closes goes on to the end of the file.
      unclosed <- is.null(text)
      lines[first] <- or(text, paste0(paste(lines[first:done], collapse = "\n"), "\""))
      if (done > first) begins[(first + 1):done] <- FALSE
    }
    list(text = sub("\r$", "", lines[begins]), line = which(begins), open = unclosed)
  }

  # The fields of every record, without their quotes.
  csv_fields <- function(records, delimiter) {
    records <- paste0(records, delimiter) # so that each field ends in one
    quoted <- grepl("\"", records, fixed = TRUE)
    fields <- vector("list", length(records))
    fields[!quoted] <- strsplit(records[!quoted], delimiter, fixed = TRUE)
    found <- gregexpr(csv_patterns(delimiter)$field, records[quoted], perl = TRUE)
    fields[quoted] <- lapply(regmatches(records[quoted], found), function(pieces) {
      pieces <- substr(pieces, 1, nchar(pieces) - 1)
      inside <- startsWith(pieces, "\"")
      parts <- "(?s)\\A\"((?:[^\"]++|\"\")*+)\"(.*)\\z"
      text <- gsub("\"\"", "\"", sub(parts, "\\1", pieces[inside], perl = TRUE), fixed = TRUE)
      pieces[inside] <- paste0(text, sub(parts, "\\2", pieces[inside], perl = TRUE))
      pieces
    })
    fields
  }

  # A column of text as numbers or logicals where all of it is. Only an empty field is missing: NA is a ticker.
  typed <- function(column, is_text) {
    column[!nzchar(column)] <- NA
    given <- column[!is.na(column)]
    if (is_text || !length(given)) return(column)
    number <- "^ *[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)? *$"
    if (all(grepl("^ *[+-]?[0-9]{1,9} *$", given))) return(as.integer(column))
    if (all(grepl(number, given))) return(as.numeric(column))
    if (all(tolower(given) %in% c("true", "false"))) return(as.logical(tolower(column)))
    column
  }

  # ---------------------------------------------------------------- Parquet

  # Row group by row group, each in memory as a whole.
  read_parquet <- function(path, entry, batch_rows) {
    if (!requireNamespace("arrow", quietly = TRUE)) {
      stop("reading ", entry$path, " needs the package arrow: install.packages(\"arrow\"), or use scripts/load_data.py",
           call. = FALSE)
    }
    reader <- arrow::ParquetFileReader$create(path)
    group <- 0
    ready <- NULL
    read <- function() {
      while (NROW(ready) == 0 && group < reader$num_row_groups) {
        ready <<- as.data.frame(reader$ReadRowGroup(group))
        group <<- group + 1
      }
      if (NROW(ready) == 0) return(NULL)
      some <- utils::head(ready, batch_rows)
      ready <<- utils::tail(ready, max(0, nrow(ready) - batch_rows))
      list(rows = nrow(some), columns = as.list(some))
    }
    list(read = read, close = function() NULL)
  }

  READERS <- list(jsonl = read_jsonl, csv = read_csv, parquet = read_parquet)

  # ---------------------------------------------------------------- columns

  # A file's rows in pieces, or only those of some days, each given to `f` until that returns FALSE; of at most
  # `batch_rows` rows each.
  each_piece <- function(f, entry, days = NULL, batch_rows = Inf) {
    reader <- READERS[[entry$format]](locate(entry$path), entry, batch_rows)
    on.exit(reader$close())
    while (!is.null(found <- reader$read())) {
      columns <- respell(found$columns, entry)
      columns <- fill(columns, "symbol", or(entry$symbol, "UNKNOWN"), found$rows)
      columns <- name_types(columns, entry, found$rows)
      known <- declared(entry)
      for (i in seq_along(columns)) {
        name <- tolower(trimws(names(columns)[i]))
        if (known[name] %in% "datetime" || (sub(".*[.]", "", name) %in% TIME_NAMES && may_be_times(columns[[i]]))) {
          columns[[i]] <- as_utc(columns[[i]])
        } else if (is.finite(batch_rows)) {
          columns[[i]] <- steady(columns[[i]], known[name])
        }
      }
      frame <- dplyr::as_tibble(columns, .name_repair = "minimal")
      if (!is.null(days)) frame <- frame[is_on(frame, days, entry), ]
      if (identical(f(frame), FALSE)) return(FALSE)
    }
    TRUE
  }

  # A column of a batch in the type of the manifest's schema, which its own few rows may not tell.
  steady <- function(column, kind) {
    if (is.list(column) || inherits(column, "integer64") || is.object(column)) return(column)
    empty <- all(is.na(column))
    if (kind %in% c("decimal", "long") && (empty || is.integer(column))) return(as.numeric(column))
    if (kind %in% "string" && empty) return(as.character(column))
    column
  }

  # The columns asked for as the manifest's schemas spell them; NULL for all.
  column_names <- function(chosen, columns) {
    if (is.null(columns)) return(NULL)
    if (!is.character(columns)) stop("columns must be a character vector", call. = FALSE)
    schemas <- lapply(chosen, function(one) texts(lapply(fields_of(one$entry), `[[`, "name")))
    known <- unique(c("symbol", "type", unlist(schemas)))
    # Fields of what is an object only now and then are columns of their own, but not in the schema.
    lower <- tolower(columns)
    unknown <- columns[!(lower %in% tolower(known) | sub("[.].*", "", lower) %in% tolower(known))]
    if (length(unknown) && length(schemas) && all(lengths(schemas) %in% seq_len(SCHEMA_LIMIT - 1))) {
      stop("there is no column ", unknown[1], "; there are ", paste(sort(known), collapse = ", "), call. = FALSE)
    }
    at <- match(lower, tolower(known))
    unique(ifelse(is.na(at), columns, known[at]))
  }

  # Exactly these columns in this order, empty where there was none.
  only <- function(frame, names) {
    if (is.null(names)) return(frame)
    at <- match(tolower(names), tolower(trimws(names(frame))))
    columns <- lapply(at, function(i) if (is.na(i)) rep(NA, nrow(frame)) else frame[[i]])
    dplyr::as_tibble(stats::setNames(columns, names), .name_repair = "minimal", .rows = nrow(frame))
  }

  # The fields of a file's records, as the manifest's schema has them.
  fields_of <- function(entry) {
    schemas <- manifest()$schemas
    schema <- schemas[tolower(names(schemas)) %in% tolower(or(entry$eventType, ""))]
    if (length(schema)) schema[[1]]$fields
  }

  # The schema's spelling of columns that a file has in another case, so that one field is one column.
  respell <- function(columns, entry) {
    known <- texts(lapply(fields_of(entry), `[[`, "name"))
    for (i in seq_along(columns)) {
      name <- known[tolower(known) == tolower(trimws(names(columns)[i]))]
      if (length(name) && !(name[1] %in% names(columns))) names(columns)[i] <- name[1]
    }
    columns
  }

  # Types of the columns, by lower-case name.
  declared <- function(entry) {
    fields <- fields_of(entry)
    stats::setNames(texts(lapply(fields, function(f) or(f$type, ""))),
                    tolower(trimws(texts(lapply(fields, `[[`, "name")))))
  }

  called <- function(columns, name) which(tolower(trimws(names(columns))) == name)

  is_missing <- function(column) if (is.list(column)) vapply(column, is.null, NA) else is.na(column)

  # Gives every row that has nothing in any column of this name, in any case, the value.
  fill <- function(columns, name, value, rows) {
    present <- called(columns, name)
    if (!length(present)) {
      columns[[name]] <- rep(value, rows)
      return(columns)
    }
    missing <- Reduce(`&`, lapply(columns[present], is_missing))
    if (any(missing)) {
      column <- columns[[present[1]]]
      column[missing] <- value
      columns[[present[1]]] <- column
    }
    columns
  }

  # Makes `type` the event type's name. In JSON Lines numbers are the collector's. Another format's own column of
  # numbers is replaced only where they say the same as the manifest, as else they mean something else.
  name_types <- function(columns, entry, rows) {
    event_type <- or(entry$eventType, "Unknown")
    columns <- fill(columns, "type", event_type, rows)
    for (i in called(columns, "type")) {
      distinct <- unique(columns[[i]])
      names <- vapply(as.list(distinct), type_name, "", event_type)[match(columns[[i]], distinct)]
      if (entry$format == "jsonl" || (is.numeric(columns[[i]]) && all(names == event_type))) columns[[i]] <- names
    }
    columns
  }

  type_name <- function(value, otherwise) {
    if (is.null(value) || length(value) != 1 || is.na(value)) return(otherwise)
    if (is.character(value)) {
      # fill() has made text of numbers that stand beside a missing one.
      number <- if (grepl("^[0-9]{1,2}$", value)) as.integer(value)
      if (is.null(number)) {
        known <- match(tolower(value), tolower(EVENT_TYPES))
        return(if (is.na(known)) value else EVENT_TYPES[known])
      }
      value <- number
    }
    known <- is.numeric(value) && value %in% (seq_along(EVENT_TYPES) - 1)
    if (known) EVENT_TYPES[value + 1] else otherwise
  }

  # FALSE for numbers that are no counts since 1970, such as the date 20240103.
  may_be_times <- function(column) !is.numeric(column) || all(column >= 1e8, na.rm = TRUE)

  as_utc <- function(column) {
    if (inherits(column, "POSIXt")) return(as.POSIXct(column, tz = "UTC"))
    if (inherits(column, "Date")) return(from_epoch(as.numeric(column) * 86400))
    if (inherits(column, "integer64")) return(from_epoch(as.double(column)))
    if (is.numeric(column)) return(from_epoch(column))
    if (is.list(column)) {
      scalar <- lengths(column) == 1 & !vapply(column, is.list, NA)
      column[!scalar] <- NA_character_
      column <- vapply(column, function(v) if (is.numeric(v)) sprintf("%.17g", v) else as.character(v), "")
    }
    from_text(as.character(column))
  }

  utc <- function(seconds) as.POSIXct(seconds, origin = "1970-01-01", tz = "UTC")

  # ISO 8601, YYYYMMDD HHMMSS with an optional millisecond, or digits that count since 1970; NA for anything else, the
  # unset year 1 among it.
  from_text <- function(text) {
    text <- trimws(text)
    seconds <- rep(NA_real_, length(text))
    compact <- grepl("^[0-9]{8} [0-9]{6}([0-9]{3})?$", text)
    text[compact] <- sub("^(....)(..)(..) (..)(..)(..)(.*)$", "\\1-\\2-\\3T\\4:\\5:\\6.\\7", text[compact])
    iso <- paste0("^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]*)?)?)?",
                  " *(Z|[+-][0-9]{2}(:?[0-9]{2})?)?$")
    hit <- grepl(iso, text) & !startsWith(text, "0001")
    some <- text[hit]
    clock <- sub("^.{10}[T ]?([0-9:]{5,8})?.*$", "\\1", some, perl = TRUE)
    clock[!nzchar(clock)] <- "00:00"
    clock[nchar(clock) == 5] <- paste0(clock[nchar(clock) == 5], ":00")
    base <- as.POSIXct(strptime(paste(substr(some, 1, 10), clock), "%Y-%m-%d %H:%M:%S", tz = "UTC"))
    fraction <- ifelse(grepl("[.][0-9]", some), sub("^.*([.][0-9]+).*$", "0\\1", some), "0")
    zone <- sub("^.{10}.*([+-])([0-9]{2}):?([0-9]{0,2})$", "\\1 \\2 \\3", some)
    zone[!grepl("^.{10}.*[+-]", some)] <- "+ 00 00"
    part <- function(from, to) {
      digits <- substr(zone, from, to)
      as.numeric(ifelse(nzchar(digits), digits, "0"))
    }
    offset <- ifelse(startsWith(zone, "-"), -1, 1) * (part(3, 4) * 3600 + part(6, 7) * 60)
    seconds[hit] <- as.numeric(base) + as.numeric(fraction) - offset
    digits <- grepl("^[0-9]{9,19}([.][0-9]+)?$", text)
    seconds[digits] <- as.numeric(from_epoch(as.numeric(text[digits])))
    utc(seconds)
  }

  # Counts since 1970 in s, ms, us or ns, told apart by size; smaller numbers, such as a bar's index, are no times.
  from_epoch <- function(numbers) {
    numbers <- as.numeric(numbers)
    unit <- c(NA, 1, 1e3, 1e6, 1e9, NA)[findInterval(numbers, c(1e8, 1e10, 1e13, 1e16, 2^63)) + 1]
    utc(numbers / unit)
  }

  # Which rows are of the UTC days.
  is_on <- function(frame, days, entry) {
    named <- unlist(lapply(ROW_TIMES, function(name) called(frame, name)))
    others <- which(vapply(frame, inherits, NA, "POSIXct"))
    times <- utc(rep(NA_real_, nrow(frame)))
    for (i in unique(c(named, others))) {
      missing <- is.na(times)
      if (!any(missing)) break
      times[missing] <- as_utc(frame[[i]][missing])
    }
    if (length(times) && all(is.na(times))) {
      warn("no row of ", entry$path, " has a time by which to tell its day; none was taken")
    }
    as.Date(times, tz = "UTC") %in% days
  }

  kind_of <- function(column) {
    if (all(is_missing(column))) return("nothing")
    if (is.list(column)) "list" else if (is.numeric(column)) "number" else class(column)[1]
  }

  # One frame of all rows. A column without a value must not decide on the type of the whole, and a column of several
  # kinds becomes a list.
  join <- function(frames) {
    filled <- Filter(nrow, frames)
    if (length(filled) < 2) return(c(filled, frames, list(dplyr::as_tibble(list())))[[1]])
    kinds <- lapply(filled, function(frame) vapply(frame, kind_of, ""))
    for (name in unique(unlist(lapply(filled, names)))) {
      found <- setdiff(unique(unlist(lapply(kinds, function(k) k[name]))), c("nothing", NA))
      for (i in which(vapply(kinds, function(k) name %in% names(k), NA))) {
        if (length(found) && kinds[[i]][name] == "nothing") {
          filled[[i]][[name]] <- rep(NA, nrow(filled[[i]]))
        } else if (length(found) > 1) {
          column <- as.list(filled[[i]][[name]])
          column[vapply(column, function(v) length(v) == 1 && is.atomic(v) && is.na(v), NA)] <- list(NULL)
          filled[[i]][[name]] <- column
        }
      }
    }
    dplyr::bind_rows(filled)
  }

  # ---------------------------------------------------------------- for users

  get_symbols <- function() texts(manifest()$symbols)

  get_event_types <- function() texts(manifest()$eventTypes)

  load_data <- function(symbol = NULL, event_type = NULL, date = NULL, columns = NULL) {
    days <- as_days(date)
    chosen <- choose(symbol, event_type, days)
    names <- column_names(chosen, columns)
    frames <- list()
    for (one in chosen) {
      each_piece(function(frame) {
        frames[[length(frames) + 1]] <<- only(frame, names)
        TRUE
      }, one$entry, if (one$part == "rows") days)
    }
    join(frames)
  }

  iter_data <- function(f, symbol = NULL, event_type = NULL, date = NULL, batch_rows = 100000, columns = NULL) {
    f <- match.fun(f)
    if (!is.numeric(batch_rows) || length(batch_rows) != 1 || is.na(batch_rows) || batch_rows < 1) {
      stop("batch_rows must be a number from 1", call. = FALSE)
    }
    # More lines than that are no vector of text.
    batch_rows <- min(floor(batch_rows), 2^31 - 2)
    days <- as_days(date)
    chosen <- choose(symbol, event_type, days)
    names <- column_names(chosen, columns)
    rows <- 0
    for (one in chosen) {
      go_on <- each_piece(function(frame) {
        if (!nrow(frame)) return(TRUE)
        rows <<- rows + nrow(frame)
        f(only(frame, names))
      }, one$entry, if (one$part == "rows") days, batch_rows)
      if (!go_on) break
    }
    invisible(rows)
  }

  # ---------------------------------------------------------------- checksums

  # The SHA-256 of a file, by whatever there is to compute it.
  sha256_of <- function() {
    if (exists("sha256sum", envir = asNamespace("tools"), inherits = FALSE)) {
      own <- get("sha256sum", envir = asNamespace("tools"))
      return(function(path) unname(own(path)))
    }
    if (requireNamespace("digest", quietly = TRUE)) {
      return(function(path) digest::digest(path, "sha256", serialize = FALSE, file = TRUE))
    }
    if (requireNamespace("openssl", quietly = TRUE)) {
      return(function(path) as.character(openssl::sha256(file(path, "rb"))))
    }
    for (command in list("sha256sum", c("shasum", "-a", "256"))) {
      program <- Sys.which(command[1])
      if (nzchar(program)) {
        return(function(path) {
          printed <- suppressWarnings(system2(program, c(command[-1], shQuote(path)), stdout = TRUE, stderr = FALSE))
          found <- regmatches(printed, regexpr("[0-9a-f]{64}", printed))
          if (length(found)) found[1] else stop("it cannot be read", call. = FALSE)
        })
      }
    }
    stop("verify() needs R 4.5, the package digest (install.packages(\"digest\")), or the program sha256sum; ",
         "or use scripts/load_data.py --verify", call. = FALSE)
  }

  bare <- function(digest) if (!is.null(digest)) tolower(sub("^sha256:", "", digest, ignore.case = TRUE))

  # What is wrong with a member: NULL, or the check with what was expected and found.
  check_member <- function(member, levels_up, sha256) {
    tryCatch({
      path <- locate(member$path, levels_up)
      size <- file.size(path)
      if (!is.null(member$sizeBytes) && size != member$sizeBytes) {
        return(c("size", paste(format(c(member$sizeBytes, size), scientific = FALSE, trim = TRUE), "bytes")))
      }
      stated <- bare(member$checksumSha256)
      actual <- if (!is.null(stated)) sha256(path)
      if (!identical(stated, actual)) c("sha256", stated, actual)
    }, error = function(e) {
      if (startsWith(conditionMessage(e), "file not found")) return(c("presence", "a file", "nothing"))
      c("reading", "a file that can be read", conditionMessage(e))
    })
  }

  # Every problem, and how many members were looked at.
  check_all <- function() {
    sha256 <- sha256_of()
    problems <- list()
    note <- function(member, found) {
      if (!is.null(found)) problems[[length(problems) + 1]] <<- c(member, found)
    }
    papers <- manifest()$supplementaryFiles
    for (member in manifest()$files) note(member$path, check_member(member, LEVELS_UP, sha256))
    # These always lie with the manifest: above may lie another package's.
    for (member in papers) note(member$path, check_member(member, 0L, sha256))
    members <- c(manifest()$files, papers)
    stated <- bare(manifest()$packageChecksum)
    digests <- lapply(members, function(member) bare(member$checksumSha256))
    if (!is.null(stated) && !any(vapply(digests, is.null, NA))) {
      paths <- texts(lapply(members, `[[`, "path"))
      listing <- tempfile()
      on.exit(unlink(listing))
      lines <- paste0(texts(digests), "  ", paths, "\n")[order(paths, method = "radix")] # by bytes
      writeBin(charToRaw(paste(lines, collapse = "")), listing)
      actual <- sha256(listing)
      if (actual != stated) note("manifest.json", c("packageChecksum", stated, actual))
    }
    cells <- matrix(as.character(unlist(problems)), ncol = 4, byrow = TRUE)
    colnames(cells) <- c("member", "check", "expected", "actual")
    list(problems = as.data.frame(cells), members = length(members))
  }

  verify <- function() check_all()$problems

  # ---------------------------------------------------------------- as a script

  HELP <- "usage: Rscript load_data.R [--symbol SYMBOL] [--event-type TYPE] [--date YYYY-MM-DD] [--columns NAME]
                           [--head N | --count | --list | --verify] [--out FILE] [--help]

Shows, counts and converts the data of this package, and checks it. Without options: what the package holds, and the
first rows of a file.

which records (each can be given several times, or as A,B):
  --symbol SYMBOL    of these symbols, in any case
  --event-type TYPE  of these event types, in any case
  --date YYYY-MM-DD  of these UTC days
  --columns NAME     only these columns, in this order

what to do with them:
  --head N           the first N rows; 5 when there is no other option
  --count            read them and print how many there are
  --list             list their files
  --verify           check every member of the package
  --out FILE         write the rows to FILE instead of printing them, as its name ends: .csv, .rds, or with the package
                     arrow .parquet, .feather; they are held in memory (scripts/load_data.py needs less)

Exit codes: 0 all went well, 1 it did not or nothing matches, 2 an option is wrong.
"
  MANY <- c("symbol", "event-type", "date", "columns")
  FLAGS <- c("count", "list", "verify", "help")
  ENDINGS <- c("csv", "rds", "parquet", "feather")

  usage_error <- function(...) stop(structure(class = c("usage", "error", "condition"),
                                              list(message = paste0(...), call = NULL)))

  parse_options <- function(arguments) {
    found <- list()
    while (length(arguments)) {
      given <- regmatches(arguments[1], regexec("^--([a-z-]+)(=(.*))?$", arguments[1]))[[1]]
      name <- given[2]
      arguments <- arguments[-1]
      if (!(name %in% c(MANY, FLAGS, "head", "out"))) usage_error("unknown argument: ", or(given[1], ""))
      if (name %in% FLAGS) {
        if (nzchar(given[3])) usage_error("--", name, " takes no value")
        found[[name]] <- TRUE
        next
      }
      value <- given[4]
      if (!nzchar(given[3])) {
        if (!length(arguments) || startsWith(arguments[1], "--")) usage_error("--", name, " needs a value")
        value <- arguments[1]
        arguments <- arguments[-1]
      }
      parts <- Filter(nzchar, strsplit(value, ",", fixed = TRUE)[[1]])
      found[[name]] <- if (name %in% MANY) c(found[[name]], parts) else value
    }
    check_options(found)
  }

  check_options <- function(options) {
    if (sum(c("head", "count", "list", "verify") %in% names(options)) > 1) {
      usage_error("only one of --head, --count, --list and --verify can be given")
    }
    if (isTRUE(options$verify) && any(MANY %in% names(options))) {
      usage_error("--verify checks the whole package and takes no selection")
    }
    if (!is.null(options$head)) {
      if (!grepl("^[1-9][0-9]{0,8}$", options$head)) usage_error("--head must be a whole number from 1")
      options$head <- as.integer(options$head)
    }
    if (!is.null(options$out)) {
      if (any(c("count", "list", "verify") %in% names(options))) usage_error("--out: there are no rows to write")
      if (!(tolower(tools::file_ext(options$out)) %in% ENDINGS)) {
        usage_error("--out: the name must end in ", paste0(".", ENDINGS, collapse = ", "))
      }
      if (dir.exists(options$out)) usage_error("--out: ", options$out, " is a folder")
      if (!dir.exists(dirname(options$out))) usage_error("--out: there is no folder ", dirname(options$out))
    }
    tryCatch(as_days(options$date), error = function(e) usage_error("--date: ", conditionMessage(e)))
    options
  }

  run <- function(options) {
    if (isTRUE(options$help)) {
      cat(HELP)
      return(0)
    }
    if (isTRUE(options$verify)) return(print_checks())
    selected <- function() matching(options$symbol, options[["event-type"]], as_days(options$date))
    if (isTRUE(options$list)) return(print_files(selected()))
    if (!length(options)) {
      overview()
      return(0)
    }
    frames <- list()
    rows <- 0
    left <- or(options$head, if (is.null(options$out)) 5L else Inf)
    matched <- iter_data(function(frame) {
      rows <<- rows + nrow(frame)
      if (isTRUE(options$count)) return(TRUE)
      frames[[length(frames) + 1]] <<- utils::head(frame, min(left, nrow(frame)))
      left <<- left - nrow(frame)
      left > 0
    }, options$symbol, options[["event-type"]], options$date, min(left, 100000), options$columns)
    frame <- join(frames)
    if (isTRUE(options$count)) {
      cat(format(rows, scientific = FALSE), "\n", sep = "")
    } else if (!is.null(options$out)) {
      if (!length(selected())) return(1)
      save_as(frame, options$out)
      cat(nrow(frame), " rows written to ", options$out, "\n", sep = "")
    } else if (nrow(frame)) {
      print(as.data.frame(lapply(as.list(frame), shown_column), optional = TRUE), max = .Machine$integer.max)
    } else if (matched == 0) {
      cat("no rows\n")
    }
    if (length(selected())) 0 else 1
  }

  print_checks <- function() {
    checked <- check_all()
    for (i in seq_len(nrow(checked$problems))) {
      problem <- checked$problems[i, ]
      # As `pdp validate` prints it.
      cat("INVALID            ", problem$member, ": ", problem$check, "\n    expected       ", problem$expected,
          "\n    actual         ", problem$actual, "\n", sep = "")
    }
    differs <- "packageChecksum" %in% checked$problems$check
    good <- checked$members - nrow(checked$problems) + differs
    listed <- if (is.null(manifest()$packageChecksum)) "is not stated" else if (differs) "differs" else "matches"
    cat("verified ", good, " of ", checked$members, " members; packageChecksum ", listed, "\n", sep = "")
    if (nrow(checked$problems)) 1 else 0
  }

  print_files <- function(chosen) {
    cell <- function(value) if (is.null(value)) "-" else format(value, scientific = FALSE)
    rows <- lapply(chosen, function(one) {
      entry <- one$entry
      c(entry$path, cell(entry$symbol), cell(entry$eventType), substr(cell(entry$date), 1, 10), entry$format,
        cell(entry$eventCount), cell(entry$sizeBytes))
    })
    cells <- do.call(rbind, c(list(c("path", "symbol", "event type", "date", "format", "records", "bytes")), rows))
    for (i in 1:7) cells[, i] <- formatC(cells[, i], width = max(nchar(cells[, i])) * if (i > 5) 1 else -1)
    cat(apply(cells, 1, paste, collapse = "  "), sep = "\n")
    if (length(chosen)) 0 else 1
  }

  as_json <- function(value) as.character(jsonlite::toJSON(value, auto_unbox = TRUE, null = "null", digits = NA))

  iso <- function(times) {
    # What is printed is cut off, not rounded, and a double is good to the microsecond.
    text <- format(times + 5e-7, "%Y-%m-%dT%H:%M:%OS6Z", tz = "UTC")
    ifelse(is.na(times), NA, text)
  }

  # A column as text files have it: times with all digits, lists and objects as JSON, numbers exact.
  written_column <- function(column) {
    if (inherits(column, "POSIXct")) return(iso(column))
    if (is.list(column)) {
      return(vapply(column, function(v) if (is.null(v)) NA_character_ else if (is.character(v)) v else as_json(v), ""))
    }
    if (!is.double(column) || is.object(column)) return(column)
    written <- rep(NA_character_, length(column))
    given <- !is.na(column)
    short <- sprintf("%.15g", column[given])
    written[given] <- ifelse(as.numeric(short) == column[given], short, sprintf("%.17g", column[given]))
    written
  }

  # Lists and objects are too long to be shown whole.
  shown_column <- function(column) {
    if (!is.list(column)) return(column)
    text <- written_column(column)
    ifelse(nchar(text) > 40, paste0(substr(text, 1, 37), "..."), text)
  }

  # Writes a file, which takes its name once it is whole.
  save_as <- function(frame, out) {
    ending <- tolower(tools::file_ext(out))
    if (ending %in% c("parquet", "feather") && !requireNamespace("arrow", quietly = TRUE)) {
      stop("writing ", out, " needs the package arrow: install.packages(\"arrow\"), or use scripts/load_data.py",
           call. = FALSE)
    }
    part <- file.path(dirname(out), paste0(".load_data-", Sys.getpid(), ".part"))
    on.exit(unlink(part))
    switch(ending,
      csv = {
        written <- as.data.frame(lapply(as.list(frame), written_column), optional = TRUE)
        utils::write.csv(written, part, row.names = FALSE, na = "", fileEncoding = "UTF-8",
                         quote = which(vapply(frame, function(column) is.character(column) || is.list(column), NA)))
      },
      rds = saveRDS(frame, part),
      parquet = arrow::write_parquet(frame, part),
      feather = arrow::write_feather(frame, part)
    )
    if (!file.rename(part, out)) stop("cannot write ", out, call. = FALSE)
  }

  overview <- function() {
    cat("Package:     ", or(manifest()$name, ""), "\n", sep = "")
    cat("Symbols:     ", paste(get_symbols(), collapse = ", "), "\n", sep = "")
    cat("Event types: ", paste(get_event_types(), collapse = ", "), "\n", sep = "")
    cat("Files:       ", format(or(manifest()$totalFiles, NA)), "\n", sep = "")
    cat("Events:      ", format(or(manifest()$totalEvents, NA), scientific = FALSE), "\n", sep = "")
    readable <- Filter(function(entry) entry$format %in% names(READERS), manifest()$files)
    for (entry in readable) {
      frame <- NULL
      tryCatch(each_piece(function(piece) {
        frame <<- piece
        FALSE
      }, entry, batch_rows = 6), error = function(e) cat("\n", conditionMessage(e), "\n", sep = ""))
      if (NROW(frame)) {
        cat("\nThe first rows of ", entry$path, ":\n", sep = "")
        print(frame)
        break
      }
    }
    if (!length(readable) && length(manifest()$files)) {
      entry <- manifest()$files[[1]]
      cat("\nThis loader does not read ", entry$path, " (", advice(entry), ")\n", sep = "")
    }
  }

  main <- function() {
    say <- function(kind) function(condition) {
      message("load_data.R: ", kind, ": ", conditionMessage(condition))
      if (kind == "warning") invokeRestart("muffleWarning")
    }
    status <- tryCatch(
      withCallingHandlers(run(parse_options(commandArgs(TRUE))), warning = say("warning")),
      usage = function(e) {
        message("load_data.R: error: ", conditionMessage(e), " (see --help)")
        2
      },
      error = function(e) {
        say("error")(e)
        1
      },
      interrupt = function(e) 130
    )
    quit(save = "no", status = status)
  }

  list(load_data = load_data, iter_data = iter_data, verify = verify, get_symbols = get_symbols,
       get_event_types = get_event_types, main = main, is_script = !sourced() && !is.null(script_path()),
       each_piece = each_piece)
})

# Loads records into one data frame (a tibble), in the order of the files in the manifest, then as they stand in the
# file.
#
#   symbol, event_type: one or several, in any case; NULL for all.
#   date: a UTC day or several, "YYYY-MM-DD" or a Date; NULL for all. From files of several days, only the rows of these
#     days are taken.
#   columns: the columns to return, in this order and in any case; NULL for all. One that no row has is NA.
#
# Fields of `payload` become columns of their own (payload.NAME where the record itself has a field NAME), objects
# within are flattened with dots, arrays are list columns. `type` is always the event type's name; other enums stay as
# they were recorded. Times are POSIXct in UTC; an unset (year 1) or unreadable time is NA. Prices and sizes are in the
# units of their source. `symbol` and `type` are taken from the manifest where a record has none.
#
# When nothing matches, an empty data frame is returned, with a warning. A missing file or program, an argument that
# cannot be read, or only files of formats without a reader here are an error.
load_data <- .pdp_loader$load_data

# Gives the same records in the same order to the function `f`, batch by batch: data frames of at most `batch_rows`
# rows, each from one file and none of them empty. No JSON Lines or CSV file is held in memory as a whole, and of Parquet one
# row group. When `f` returns FALSE, no more is read. Returns the number of rows, invisibly.
#
# A batch has the columns that its rows have, unless `columns` says which; numbers are doubles where the manifest's
# schema says so of the column. The other arguments are those of load_data().
iter_data <- .pdp_loader$iter_data

# Compares every member of the package with the size and SHA-256 that the manifest has for it, and the manifest's own
# list with its packageChecksum. Returns a data frame with a row for everything that is wrong: member, check, expected,
# actual. Files that the manifest does not name are not looked at.
verify <- .pdp_loader$verify

# The symbols in the package.
get_symbols <- .pdp_loader$get_symbols

# The event types in the package, such as Trade.
get_event_types <- .pdp_loader$get_event_types

if (.pdp_loader$is_script) .pdp_loader$main()
