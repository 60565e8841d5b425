/** Bull 3 brings no types; what is used of it is as in Bull 4. */
declare module 'bull3' {
  import Bull from 'bull';

  export default Bull;
}
