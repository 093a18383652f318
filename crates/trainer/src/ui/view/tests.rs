use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;

fn scores(loss: f64, accuracy: f64) -> Scores {
    Scores { loss: Some(loss), accuracy: Some(accuracy) }
}

/// The metrics of an epoch.
fn epoch(epoch: usize) -> EpochEvent {
    let loss = 2.0 / epoch as f64;
    EpochEvent::from(&artifacts::EpochMetrics {
        epoch,
        step: epoch,
        learning_rate: 1e-3,
        train_loss: loss,
        train_accuracy: 1.0 - loss / 3.0,
        validation_loss: Some(loss + 0.1),
        validation_accuracy: Some(0.9 - loss / 3.0),
        ..artifacts::EpochMetrics::default()
    })
}

/// A run in its 14th epoch of 40.
fn view() -> View {
    let mut history = History::default();
    (1..14).for_each(|number| history.push(epoch(number)));
    let span = |fraction, elapsed, left| Span {
        fraction,
        elapsed: Duration::from_secs(elapsed),
        left: Some(Duration::from_secs(left)),
    };
    View {
        name: "signs".to_owned(),
        directory: "runs/signs".to_owned(),
        device: "flex".to_owned(),
        activity: Activity::Training,
        epochs: (14, 40),
        epoch: span(0.5, 3, 2),
        run: span(0.3375, 65, 128),
        train: scores(0.1402, 95.31),
        history,
        best: Some((12, scores(0.2667, 84.44))),
        learning_rate: Some(9.8e-4),
        speed: Some(3886.4),
        memory: Some(357_000_000),
        checkpoint: Some(Duration::from_secs(8)),
        message: None,
        has_colours: true,
    }
}

/// The screen of a terminal with these columns and rows.
fn screen(view: &View, columns: u16, rows: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| view.draw(frame)).unwrap();
    let cells = terminal.backend().buffer().content();
    let lines = cells.chunks(usize::from(columns).max(1));
    let lines = lines.map(|line| line.iter().map(|cell| cell.symbol()).collect::<String>());
    lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[test]
fn everything_is_shown_on_a_usual_terminal() {
    assert_snapshot!(screen(&view(), 80, 24));
}

#[test]
fn a_low_terminal_has_no_curves() {
    assert_snapshot!(screen(&view(), 60, 15));
}

#[test]
fn a_large_terminal_has_large_curves() {
    assert_snapshot!(screen(&view(), 200, 60));
}

#[test]
fn the_progress_of_the_run_is_the_last_to_be_left_out() {
    assert_eq!(screen(&view(), 60, 0), "");
    let one = screen(&view(), 60, 1);
    assert!(one.starts_with("run             33 %") && one.ends_with("3 min left"), "{one}");
    let two = screen(&view(), 60, 2);
    assert!(two.contains("run ") && two.contains("q or Ctrl-C"), "{two}");
    let eight = screen(&view(), 60, 8);
    assert!(eight.contains("validation") && eight.contains("runs/signs on flex"), "{eight}");
}

#[test]
fn no_size_is_too_small_and_the_time_left_is_whole() {
    for (columns, rows) in (0..70).flat_map(|columns| (0..30).map(move |rows| (columns, rows))) {
        let shown = screen(&view(), columns, rows);
        let times = if columns < MIN_LEFT { "0:01:05" } else { "0:01:05, 3 min left" };
        assert!(columns < TIMES[0] || rows == 0 || shown.contains(times), "{shown}");
    }
}

#[test]
fn a_narrow_terminal_keeps_the_percentages() {
    for columns in [30, 45] {
        let shown = screen(&view(), columns, 24);
        assert!(shown.contains("of 40  50 %") && shown.contains("run             33 %"), "{shown}");
        assert!(!shown.contains(" left"), "{shown}");
    }
    assert!(screen(&view(), 46, 24).contains(" left"));
}

#[test]
fn there_are_no_curves_before_the_end_of_the_first_epoch() {
    let view = View { history: History::default(), ..view() };
    assert!(!screen(&view, 100, 30).contains('┌'));
}

#[test]
fn a_run_that_has_not_started_shows_dashes() {
    let shown = screen(&View { name: "signs".to_owned(), ..View::default() }, 80, 24);
    assert!(shown.contains("starting") && shown.contains("0 %"), "{shown}");
    assert!(!shown.contains("left") && !shown.contains("NaN"), "{shown}");
}

#[test]
fn a_stop_is_announced_with_what_the_next_key_does() {
    let shown = screen(&View { activity: Activity::Stopping, ..view() }, 60, 15);
    assert!(shown.contains("stopping: a checkpoint is being written"), "{shown}");
    assert!(shown.contains("Ctrl-C again exits at once"), "{shown}");
    assert!(!shown.contains("q or Ctrl-C"), "{shown}");
}

#[test]
fn a_message_is_one_line() {
    let message = Some(format!("warning: {}the end", "long ".repeat(50)));
    let shown = screen(&View { message, ..view() }, 80, 24);
    let line = shown.lines().find(|line| line.starts_with("warning: long")).unwrap();
    assert!(line.ends_with("the end"), "{line}");
}

#[test]
fn without_colours_the_curves_have_different_marks() {
    let shown = screen(&View { has_colours: false, ..view() }, 80, 24);
    assert!(shown.contains("⠒⠒ train •• validation"), "{shown}");
}

#[test]
fn an_epoch_that_is_trained_again_replaces_those_after_it() {
    let mut history = History::default();
    [1, 2, 3, 2].into_iter().for_each(|number| history.push(epoch(number)));
    assert_eq!(history.0.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_long_history_keeps_its_first_and_its_last_epochs() {
    let mut history = History::default();
    (1..=5000).for_each(|number| history.push(epoch(number)));
    let epochs: Vec<_> = history.0.iter().map(|epoch| epoch.epoch).collect();
    assert!(epochs.len() <= MOST_EPOCHS && epochs[0] == 1, "{epochs:?}");
    assert!(epochs.ends_with(&[4998, 4999, 5000]), "{epochs:?}");
}
