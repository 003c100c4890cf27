# Loader for the package: {{ name }}
#
#   source("scripts/load_data.R")
#   trades <- load_data(symbol = "AAPL", event_type = "Trade", date = "2024-01-03")
#
# `Rscript scripts/load_data.R` prints what the package holds.
#
# Needs the packages jsonlite and dplyr; the program zstd for zstd files and the package arrow for Parquet files.
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
  BATCH <- 5000L
  MAX_DEPTH <- 127L

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

  as_day <- function(value) {
    if (is.null(value)) return(NULL)
    day <- NA
    if (inherits(value, c("Date", "POSIXt"))) {
      day <- as.Date(value, tz = "UTC")
    } else if (is.character(value) && length(value) == 1 && grepl("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", value)) {
      day <- as.Date(value, "%Y-%m-%d")
    }
    if (length(day) != 1 || is.na(day)) stop("date must be YYYY-MM-DD or a Date, not ", deparse(value), call. = FALSE)
    day
  }

  day_of <- function(text) if (is.null(text)) as.Date(NA) else as.Date(from_text(text), tz = "UTC")

  # What of a file belongs to the day: "whole", only its "rows" of that day, or "" for nothing.
  part_of <- function(entry, day) {
    if (is.null(day)) return("whole")
    filed <- day_of(entry$date)
    first <- day_of(entry$firstTimestamp)
    last <- day_of(entry$lastTimestamp)
    timed <- !is.na(first) && !is.na(last)
    if (!is.na(filed) && !(timed && first != last)) return(if (filed == day) "whole" else "")
    if (timed && first <= day && day <= last) "rows" else ""
  }

  # A data file, below the manifest's folder or one of the folders above it.
  locate <- function(path) {
    if (grepl("^/|^[A-Za-z]:", path) || ".." %in% strsplit(path, "/", fixed = TRUE)[[1]]) {
      stop("the manifest names a path outside of the package: ", path, call. = FALSE)
    }
    base <- ROOT
    for (level in 0:LEVELS_UP) {
      found <- native(file.path(base, path))
      if (file.exists(found)) return(found)
      base <- dirname(base)
    }
    stop("file not found: ", path, " is not below ", ROOT, " nor any of the ", LEVELS_UP, " folders above it",
         call. = FALSE)
  }

  # ---------------------------------------------------------------- bytes

  without_bom <- function(bytes) {
    if (length(bytes) >= 3 && identical(bytes[1:3], as.raw(c(0xef, 0xbb, 0xbf)))) bytes[-(1:3)] else bytes
  }

  read_all <- function(con) {
    pieces <- list()
    repeat {
      piece <- readBin(con, "raw", PIECE)
      if (!length(piece)) break
      pieces[[length(pieces) + 1]] <- piece
    }
    if (length(pieces)) do.call(c, pieces) else raw()
  }

  # A file's content without a BOM, its compression undone: told by the first bytes, as collectors write gzip under
  # names in .zst. `damaged` says that the compressed data breaks off or is damaged; the content then ends there.
  content <- function(path, shown) {
    bytes <- readBin(path, "raw", file.size(path))
    head <- as.integer(utils::head(bytes, 4))
    found <- list(bytes = bytes, damaged = FALSE)
    if (length(head) >= 2 && all(head[1:2] == c(0x1f, 0x8b))) {
      found <- gunzip(bytes)
    } else if (length(head) == 4 && (all(head == c(0x28, 0xb5, 0x2f, 0xfd)) ||
                                     (head[1] %/% 16 == 5 && all(head[2:4] == c(0x2a, 0x4d, 0x18))))) {
      found <- unzstd(path, shown)
    }
    if (found$damaged) {
      warn("the compressed data of ", shown, " is torn or damaged; the rows before that were read")
    }
    found$bytes <- without_bom(found$bytes)
    found
  }

  unzstd <- function(path, shown) {
    program <- Sys.which("zstd")
    if (program == "") {
      stop("reading ", shown, " needs the program zstd, which was not found: install it (zstd.net) ",
           "or use scripts/load_data.py", call. = FALSE)
    }
    con <- pipe(paste(shQuote(program), "-q -q -d -c", shQuote(path)), "rb")
    bytes <- tryCatch(read_all(con), finally = status <- close(con))
    list(bytes = bytes, damaged = !is.null(status) && status != 0)
  }

  # Undoes every gzip member in turn. R's own gzfile() is silent about a torn member, loses what was read before some
  # errors, and gzcon() stops after the first member without telling where it ends. But a member ends in its size, and
  # then comes another or the end: that is enough to find where.
  gunzip <- function(bytes) {
    count <- length(bytes)
    starts <- which(bytes == as.raw(0x1f))
    starts <- starts[starts + 2 <= count]
    starts <- starts[bytes[starts + 1] == as.raw(0x8b) & bytes[starts + 2] == as.raw(0x08)]
    pieces <- list()
    at <- 1
    while (at <= count) {
      piece <- gunzip_member(bytes[at:count])
      if (length(piece)) pieces[[length(pieces) + 1]] <- piece
      at <- after_member(bytes, c(starts[starts >= at + 18], count + 1), length(piece))
      if (is.na(at)) break
    }
    list(bytes = if (length(pieces)) do.call(c, pieces) else raw(), damaged = is.na(at))
  }

  gunzip_member <- function(bytes) {
    tryCatch({
      con <- gzcon(rawConnection(bytes), allowNonCompressed = FALSE)
      on.exit(close(con))
      suppressWarnings(read_all(con))
    }, error = function(e) raw())
  }

  # The first of the `borders` (starts of members, or behind the end) right before which a member of this size ends,
  # zero bytes of padding aside; NA if none.
  after_member <- function(bytes, borders, size) {
    size <- as.raw(size %/% 256^(0:3) %% 256)
    for (border in borders) {
      last <- border - 1
      while (last > 1 && bytes[last] == as.raw(0)) last <- last - 1
      # The size itself may end in zero bytes, and a checksum before it.
      for (end in last:min(border - 1, last + 8)) {
        if (end >= 18 && all(bytes[(end - 3):end] == size)) return(border)
      }
    }
    NA
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

  ends_torn <- function(found) found$damaged && !identical(utils::tail(found$bytes, 1), as.raw(10))

  # ---------------------------------------------------------------- JSON Lines

  read_jsonl <- function(path, entry) {
    found <- content(path, entry$path)
    lines <- as_lines(found$bytes)
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
    bad <- which(!good & !blank)
    if (ends_torn(found)) bad <- setdiff(bad, length(lines)) # the piece before the tear
    if (length(bad)) warn(length(bad), " unreadable lines skipped in ", entry$path, ", first at line ", bad[1])
    records <- records[sound]
    list(rows = length(records), columns = lapply(flatten(records), simplify))
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

  read_csv <- function(path, entry) {
    dialect <- or(entry$csv, list())
    delimiter <- or(dialect$delimiter, ",")
    found <- content(path, entry$path)
    lines <- as_lines(found$bytes)
    # What stands of a line before a tear is none, as its last field may be cut.
    if (ends_torn(found)) lines <- lines[-length(lines)]
    broken <- !validUTF8(lines)
    lines[broken] <- iconv(lines[broken], "UTF-8", "UTF-8", sub = "\uFFFD")
    records <- csv_records(lines, delimiter, dialect$comment)
    fields <- csv_fields(records$text, delimiter)
    columns <- texts(dialect$columns)
    if (or(dialect$hasHeader, TRUE) && length(fields)) {
      if (!length(columns)) columns <- fields[[1]]
      fields <- fields[-1]
      records$line <- records$line[-1]
    }
    width <- length(columns)
    bad <- lengths(fields) > width
    if (any(bad)) {
      warn(sum(bad), " rows with too many fields skipped in ", entry$path, ", first at line ", records$line[bad][1])
    }
    fields <- fields[!bad]
    short <- lengths(fields) < width
    fields[short] <- lapply(fields[short], `length<-`, width)
    cells <- matrix(as.character(unlist(fields)), ncol = max(width, 1), byrow = TRUE)
    known <- declared(entry)
    values <- lapply(seq_len(width), function(i) {
      name <- tolower(trimws(columns[i]))
      typed(cells[, i], name %in% TEXT_NAMES || identical(known[name], stats::setNames("string", name)))
    })
    list(rows = length(fields), columns = stats::setNames(values, make.unique(columns)))
  }

  # Regular expressions for a field, and for a record in which every quoted field is closed.
  csv_patterns <- function(delimiter) {
    mark <- sprintf("\\x%02x", utf8ToInt(delimiter)) # always ASCII
    field <- sprintf("(?:\"(?:[^\"]++|\"\")*+\"[^%s]*+|(?!\")[^%s]*+)", mark, mark)
    list(field = paste0(field, mark), whole = sprintf("\\A%s(?:%s%s)*+\\z", field, mark, field))
  }

  # Records and the lines they begin on: blank lines and comments are none, a quoted field goes on over lines.
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
      lines[first] <- or(text, paste0(paste(lines[first:done], collapse = "\n"), "\""))
      if (done > first) begins[(first + 1):done] <- FALSE
    }
    list(text = sub("\r$", "", lines[begins]), line = which(begins))
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

  read_parquet <- function(path, entry) {
    if (!requireNamespace("arrow", quietly = TRUE)) {
      stop("reading ", entry$path, " needs the package arrow: install.packages(\"arrow\"), or use scripts/load_data.py",
           call. = FALSE)
    }
    frame <- arrow::read_parquet(path)
    list(rows = nrow(frame), columns = as.list(frame))
  }

  READERS <- list(jsonl = read_jsonl, csv = read_csv, parquet = read_parquet)

  # ---------------------------------------------------------------- columns

  # A file's rows, or only those of one day.
  read_file <- function(entry, day = NULL) {
    found <- READERS[[entry$format]](locate(entry$path), entry)
    columns <- respell(found$columns, entry)
    columns <- fill(columns, "symbol", or(entry$symbol, "UNKNOWN"), found$rows)
    columns <- name_types(columns, entry, found$rows)
    known <- declared(entry)
    for (i in seq_along(columns)) {
      name <- tolower(trimws(names(columns)[i]))
      if (known[name] %in% "datetime" || (sub(".*[.]", "", name) %in% TIME_NAMES && may_be_times(columns[[i]]))) {
        columns[[i]] <- as_utc(columns[[i]])
      }
    }
    frame <- dplyr::as_tibble(columns, .name_repair = "minimal")
    if (is.null(day)) frame else frame[is_on(frame, day, entry), ]
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

  # Which rows are of the UTC day.
  is_on <- function(frame, day, entry) {
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
    days <- as.Date(times, tz = "UTC")
    !is.na(days) & days == day
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

  load_data <- function(symbol = NULL, event_type = NULL, date = NULL) {
    symbol <- as_names(symbol, "symbol")
    event_type <- as_names(event_type, "event_type")
    day <- as_day(date)
    chosen <- Filter(function(e) wanted(e$symbol, symbol) && wanted(e$eventType, event_type), manifest()$files)
    parts <- vapply(chosen, part_of, "", day)
    chosen <- chosen[parts != ""]
    parts <- parts[parts != ""]
    if (!length(chosen)) {
      warn("nothing matches; the package has the symbols ", listed(get_symbols()), " and the event types ",
           listed(get_event_types()))
      return(dplyr::as_tibble(list()))
    }
    formats <- texts(lapply(chosen, `[[`, "format"))
    unread <- !(formats %in% names(READERS))
    advice <- ifelse(formats %in% names(ELSEWHERE), ELSEWHERE[formats], paste("its format", formats, "is not known"))
    skipped <- paste0(texts(lapply(chosen, `[[`, "path")), " (", advice, ")")[unread]
    if (all(unread)) stop("this loader does not read ", paste(skipped, collapse = "; "), call. = FALSE)
    for (text in skipped) warn("skipped ", text)
    join(Map(function(entry, part) read_file(entry, if (part == "rows") day), chosen[!unread], parts[!unread]))
  }

  overview <- function() {
    cat("Package:     ", or(manifest()$name, ""), "\n", sep = "")
    cat("Symbols:     ", paste(get_symbols(), collapse = ", "), "\n", sep = "")
    cat("Event types: ", paste(get_event_types(), collapse = ", "), "\n", sep = "")
    cat("Files:       ", format(or(manifest()$totalFiles, NA)), "\n", sep = "")
    cat("Events:      ", format(or(manifest()$totalEvents, NA), scientific = FALSE), "\n", sep = "")
    for (entry in manifest()$files) {
      if (!(entry$format %in% names(READERS))) next
      frame <- tryCatch(read_file(entry), error = function(e) {
        cat("\n", conditionMessage(e), "\n", sep = "")
        NULL
      })
      if (NROW(frame)) {
        cat("\nThe first rows of ", entry$path, ":\n", sep = "")
        print(utils::head(frame))
        break
      }
    }
  }

  list(load_data = load_data, get_symbols = get_symbols, get_event_types = get_event_types, overview = overview,
       is_script = !sourced() && !is.null(script_path()), read_file = read_file)
})

# Loads records into one data frame (a tibble), in the order of the files in the manifest, then as they stand in the
# file.
#
#   symbol, event_type: one or several, in any case; NULL for all.
#   date: a UTC day, "YYYY-MM-DD" or a Date; NULL for all. From files of several days, only the day's rows are taken.
#
# Fields of `payload` become columns of their own (payload.NAME where the record itself has a field NAME), objects
# within are flattened with dots, arrays are list columns. `type` is always the event type's name; other enums stay as
# they were recorded. Times are POSIXct in UTC; an unset (year 1) or unreadable time is NA. Prices and sizes are in the
# units of their source. `symbol` and `type` are taken from the manifest where a record has none.
#
# When nothing matches, an empty data frame is returned, with a warning. A missing file or program, an argument that
# cannot be read, or only files of formats without a reader here are an error.
load_data <- .pdp_loader$load_data

# The symbols in the package.
get_symbols <- .pdp_loader$get_symbols

# The event types in the package, such as Trade.
get_event_types <- .pdp_loader$get_event_types

if (.pdp_loader$is_script) .pdp_loader$overview()
